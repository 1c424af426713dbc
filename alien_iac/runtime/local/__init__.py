"""A Function on `local`: one process that serves HTTP on this machine and polls what triggers it.

Each module translates one kind of event to `Work` and its outcome back. What a handler may do, and how often it is
tried, is decided in `runner` and `redelivery`.
"""
