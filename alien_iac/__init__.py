"""Run your product inside your customers' own cloud accounts: one Python stack, released to all of them in waves."""
