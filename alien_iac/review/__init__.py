"""The offline review: what a stack program will do to an account, told without credentials and without network."""
