"""Doubles that the tests of users need, kept to the same contracts as the real parts."""
