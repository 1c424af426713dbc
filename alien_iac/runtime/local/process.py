"""The process of a Function on `local`, from its start to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from alien_iac.errors import BindingInvalid
from alien_iac.models.triggers import CreatedTrigger, QueueTrigger, ScheduleTrigger
from alien_iac.protocol import environment
from alien_iac.protocol.bindings import LocalQueue
from alien_iac.runtime import links, serving, workload
from alien_iac.runtime.clock import SystemClock
from alien_iac.runtime.doors import Doors, WorkloadToken, app
from alien_iac.runtime.ending import end_signals
from alien_iac.runtime.http import async_client
from alien_iac.runtime.local.created import CreatedObjects
from alien_iac.runtime.local.ledger import Ledger
from alien_iac.runtime.local.messages import Messages
from alien_iac.runtime.local.schedules import Schedule
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.runner import Runner
from alien_iac.runtime.settings import Settings
from alien_iac.runtime.stores import local_storage
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.vitals import Heartbeats
from alien_iac.runtime.workload import Workload

DRAIN_SECONDS = 8
"""What runs when the process is told to end has so long; the rest is given back."""


class Service(Protocol):
    """Something that runs beside the server."""

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`, and then to a clean end."""
        ...


async def run(folder: Path, settings: Settings) -> None:
    """Load the folder's code and serve it until SIGTERM or SIGINT.

    InvalidInput or BindingInvalid before anything is served, where a trigger has no handler or is wrong.
    """
    ended = end_signals()
    mine = workload.load(folder, settings, SystemClock())
    async with _triggered(mine) as services, async_client() as http:
        listener = serving.bind(settings.port)
        doors = Doors(mine.answers(http), mine.vitals, WorkloadToken(settings), mine.clock)
        LOGGER.info(line("function ready", id=settings.resource_id, port=listener.getsockname()[1]))
        async with asyncio.TaskGroup() as tasks:
            for service in (*services, Heartbeats(mine.vitals, settings, mine.clock)):
                tasks.create_task(service.run(ended))
            tasks.create_task(_drain(mine.runner, ended))
            await serving.serve(app(doors.routes(), mine.asgi), listener, ended, grace_seconds=DRAIN_SECONDS)
            ended.set()
    LOGGER.info(line("function ended", id=settings.resource_id))


@asynccontextmanager
async def _triggered(mine: Workload) -> AsyncIterator[list[Service]]:
    """What polls for the triggers. Storages have been looked at when this begins: what comes from now on is news."""
    triggers, state_dir = mine.settings.triggers, mine.settings.state_dir
    needs_ledger = [t for t in triggers if not isinstance(t, QueueTrigger)]
    if not needs_ledger:
        yield [_messages(t, mine) for t in triggers if isinstance(t, QueueTrigger)]
        return
    if state_dir is None:
        raise BindingInvalid(f"{environment.STATE_DIR} is not set; schedules and created objects need it")
    ledger = Ledger(state_dir)
    try:
        services: list[Service] = []
        for trigger in triggers:
            match trigger:
                case QueueTrigger():
                    services.append(_messages(trigger, mine))
                case ScheduleTrigger():
                    services.append(Schedule(trigger, mine.deliveries, ledger, mine.clock))
                case CreatedTrigger():
                    created = _created(trigger, mine, ledger)
                    await created.begin()
                    services.append(created)
        yield services
    finally:
        ledger.close()


def _messages(trigger: QueueTrigger, mine: Workload) -> Messages:
    binding = parse(LocalQueue, links.binding(trigger.resource), trigger.resource)
    return Messages(trigger.resource, binding, mine.deliveries, mine.clock, concurrency=mine.settings.concurrency)


def _created(trigger: CreatedTrigger, mine: Workload, ledger: Ledger) -> CreatedObjects:
    place = local_storage.connect(links.binding(trigger.resource), trigger.resource)
    return CreatedObjects(trigger.resource, place, mine.deliveries, ledger, mine.clock)


async def _drain(runner: Runner, ended: asyncio.Event) -> None:
    await ended.wait()
    await runner.stop(DRAIN_SECONDS)
