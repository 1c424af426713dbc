"""A Container that serves HTTP: its ASGI app on its port, and its commands beside it, in one process."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType
from typing import Any

from alien_iac.runtime import serving, settings
from alien_iac.runtime.commands import serve_commands
from alien_iac.runtime.ending import end_signals
from alien_iac.runtime.entry import as_process
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.telemetry.asgi import traced


def serve(app: Any, module: ModuleType | None = None) -> None:
    """Serve an ASGI app on `PORT`, answer commands and send heartbeats, until SIGTERM or SIGINT.

    The command handlers are those that `serve_commands` finds. On `local` it listens on this machine only, elsewhere on
    every address.
    """

    async def run() -> None:
        ended = end_signals()
        mine = settings.read()
        listener = serving.bind(mine.port, serving.LOOPBACK if mine.platform == "local" else serving.EVERYWHERE)
        LOGGER.info(line("container ready", id=mine.resource_id, port=listener.getsockname()[1]))
        server = asyncio.create_task(serving.serve(traced(app), listener, ended))
        server.add_done_callback(lambda _: ended.set())
        try:
            await serve_commands(module, ended=ended)
        finally:
            ended.set()
            await server

    if status := as_process(run):
        sys.exit(status)
