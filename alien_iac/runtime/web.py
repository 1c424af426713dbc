"""A Container that serves HTTP: its ASGI app on its port, and its commands beside it, in one process."""

from __future__ import annotations

import asyncio
from typing import Any

from alien_iac.runtime import logs, serving, settings
from alien_iac.runtime.commands import serve_commands
from alien_iac.runtime.ending import end_signals

EVERYWHERE = "0.0.0.0"  # noqa: S104 - inside a cloud's own network, where the platform decides who reaches it


def serve(app: Any) -> None:  # noqa: ANN401 - ASGI
    """Serve an ASGI app on `PORT`, answer commands and send heartbeats, until SIGTERM or SIGINT.

    On `local` it listens on loopback alone. The command handlers are those of the process's main module.
    """

    async def run() -> None:
        mine, ended = settings.read(), end_signals()
        listener = serving.bind(mine.port, serving.LOOPBACK if mine.platform == "local" else EVERYWHERE)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve_commands(ended=ended))
            tasks.create_task(serving.serve(app, listener, ended))

    logs.configure()
    asyncio.run(run())
