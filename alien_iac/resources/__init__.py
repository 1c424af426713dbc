"""The components that an author writes, and the planner that builds them once the whole stack is known."""
