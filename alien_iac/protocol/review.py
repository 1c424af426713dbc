"""What a review and the stack program that it runs agree on."""

FOLDER = "ALIEN_REVIEW"
"""Environment variable of a stack program under review: a folder for what it tells, and for stand-ins of artifacts."""
FINDINGS = "findings.json"
"""The file in that folder with all findings, where the checks refuse the stack and so nothing is built."""
KEY = "alien-review"
"""The stack output with what the planner tells the review."""
