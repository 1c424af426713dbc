"""What a review and the stack program that it runs agree on."""

FOLDER = "ALIEN_REVIEW"
"""Environment variable of a stack program under review: the folder for what stands in place of artifacts."""
KEY = "alien-review"
"""The stack output with what the planner tells the review."""
