"""The control plane: one ASGI app and its store."""
