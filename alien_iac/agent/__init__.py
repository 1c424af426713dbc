"""The process in the customer's environment: polls, verifies, applies, dispatches commands, reports."""
