"""Doubles that the tests of users need, kept to the same contracts as the real parts.

`recording` runs a stack program without an engine and tells what it would have registered.
"""
