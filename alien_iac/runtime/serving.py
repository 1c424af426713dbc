"""Serving ASGI on this machine until the process is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from alien_iac.runtime.ending import first

LOOPBACK = "127.0.0.1"


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to whoever serves: more than the server has to end well."""
        yield


def bind(port: int, host: str = LOOPBACK) -> socket.socket:
    """A listening socket; port 0 takes any free one."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(128)
    return listener


async def serve(app: Any, listener: socket.socket, ended: asyncio.Event, *, grace_seconds: int = 5) -> None:  # noqa: ANN401 - ASGI
    """Serve until `ended`; then take no new request, and give those that run `grace_seconds`."""
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=grace_seconds)
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await first([serving], ended)
    finally:
        server.should_exit = True
        await serving
