"""A Function that is a process on a cloud: its HTTP, and what runs beside it, until it is told to end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.routing import Route

from alien_iac.runtime import serving
from alien_iac.runtime.doors import Admission, Doors, app
from alien_iac.runtime.ending import end_signals
from alien_iac.runtime.http import async_client
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.runner import Runner
from alien_iac.runtime.telemetry.asgi import flushed
from alien_iac.runtime.telemetry.process import Telemetry, captured
from alien_iac.runtime.workload import Workload

DRAIN_SECONDS = 8
"""What runs when the process is told to end has so long; the rest is given back. Clouds kill after ten."""


class Service(Protocol):
    """Something that runs beside the server."""

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`, and then to a clean end."""
        ...


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What a platform adds."""

    admission: Admission
    host: str = serving.EVERYWHERE
    limit_seconds: float | None = None
    """After so long the platform cuts a request off."""
    result_limit: int | None = None
    """Bytes of a command's result that it carries."""
    more: Sequence[Route] = ()
    """Paths of its own."""
    beside: Sequence[Service] = ()
    """What runs beside the server."""
    freezes: bool = False
    """Whether the platform may stop the process's clock once it has answered."""


async def run(mine: Workload, how: Serving) -> None:
    """Serve until SIGTERM or SIGINT.

    InvalidInput where the vendor's app does not start, Conflict where its port is taken.
    """
    ended = end_signals()
    with captured() as telemetry:
        await _serve(mine, how, ended, telemetry)
    LOGGER.info(line("function ended", id=mine.settings.resource_id))


async def _serve(mine: Workload, how: Serving, ended: asyncio.Event, telemetry: Telemetry | None) -> None:
    async with async_client() as http:
        listener = serving.bind(mine.settings.port, how.host)
        doors = Doors(mine.answers(lambda: http, how.result_limit), mine.vitals, how.admission, mine.clock)
        routes = app([*doors.routes(how.limit_seconds), *how.more], mine.asgi)
        if telemetry and how.freezes:
            routes = flushed(routes, telemetry)
        LOGGER.info(line("function ready", id=mine.settings.resource_id, port=listener.getsockname()[1]))
        async with asyncio.TaskGroup() as tasks:
            for service in how.beside:
                tasks.create_task(service.run(ended))
            tasks.create_task(_drain(mine.runner, ended))
            await serving.serve(routes, listener, ended, grace_seconds=DRAIN_SECONDS)
            ended.set()


async def _drain(runner: Runner, ended: asyncio.Event) -> None:
    await ended.wait()
    await runner.stop(DRAIN_SECONDS)
