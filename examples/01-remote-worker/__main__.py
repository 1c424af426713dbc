"""A remote worker: one Function that answers the vendor's commands next to the customer's private data."""

import alien_iac as alien

files = alien.Storage("files")
greeting = alien.Secret("greeting", provided_by="generated")

alien.Function("worker", source="./worker", timeout="30s", commands=True, link=[files.reader(), greeting])
