"""The routes, one file a noun: decode, call the store, encode."""
