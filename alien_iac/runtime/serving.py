"""Serving ASGI on this machine until the process is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from alien_iac.errors import Conflict, InvalidInput
from alien_iac.runtime.ending import first

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - inside a cloud's own network, where the platform decides who reaches it


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to whoever serves: more than the server has to end well."""
        yield


def bind(port: int, host: str = LOOPBACK) -> socket.socket:
    """A listening socket; port 0 takes any free one. Conflict where somebody else has the port."""
    # The protocol is named since asyncio sends small answers at once (TCP_NODELAY) only on a socket that names it:
    # without, every answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Conflict(f"port {port} of {host} cannot be had: {error.strerror}") from error
    listener.listen(128)
    return listener


async def serve(app: Any, listener: socket.socket, ended: asyncio.Event, *, grace_seconds: int = 5) -> None:
    """Serve until `ended`; then take no new request, and give those that run `grace_seconds`.

    InvalidInput where the app's lifespan does not start.
    """
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=grace_seconds)
    server = _Server(config)
    serving = asyncio.create_task(_served(server, listener))
    try:
        await first([serving], ended)
    finally:
        server.should_exit = True
        await serving


async def _served(server: uvicorn.Server, listener: socket.socket) -> None:
    try:
        await server.serve(sockets=[listener])
    except SystemExit as error:
        # The server would end the process from within, past everything that has to end well.
        listener.close()
        raise InvalidInput("the ASGI app did not start: its lifespan failed", hint="the log says why") from error
