"""The process of a Function on `local`, from its start to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, cast

from alien_iac.errors import BindingInvalid, InvalidInput
from alien_iac.models.triggers import CreatedTrigger, QueueTrigger, ScheduleTrigger
from alien_iac.protocol import environment
from alien_iac.protocol.bindings import LocalQueue
from alien_iac.runtime import links, loading, serving
from alien_iac.runtime.clock import Clock, SystemClock
from alien_iac.runtime.ending import end_signals
from alien_iac.runtime.handlers import Handler, Handlers, Kind
from alien_iac.runtime.http import async_client
from alien_iac.runtime.local.app import Asgi, Routes, app
from alien_iac.runtime.local.created import CreatedObjects
from alien_iac.runtime.local.ledger import Ledger
from alien_iac.runtime.local.messages import Messages
from alien_iac.runtime.local.schedules import Schedule
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.runner import Runner
from alien_iac.runtime.settings import Settings
from alien_iac.runtime.stores import local_storage
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.vitals import Heartbeats, Vitals

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
    program = loading.load(folder)
    check_triggers(program.handlers, settings)
    clock = SystemClock()
    runner = Runner(program.handlers, clock=clock, timeout_seconds=settings.timeout_seconds)
    vitals = Vitals(runner, settings)
    async with _triggered(runner, settings, clock) as services, async_client() as http:
        listener = serving.bind(settings.port)
        routes = app(Routes(runner, vitals, settings, http), cast("Asgi | None", program.asgi))
        LOGGER.info(line("function ready", id=settings.resource_id, port=listener.getsockname()[1]))
        async with asyncio.TaskGroup() as tasks:
            for service in (*services, Heartbeats(vitals, settings, clock)):
                tasks.create_task(service.run(ended))
            tasks.create_task(_drain(runner, ended))
            await serving.serve(routes, listener, ended, grace_seconds=DRAIN_SECONDS)
            ended.set()
    LOGGER.info(line("function ended", id=settings.resource_id))


def check_triggers(handlers: Handlers, settings: Settings) -> None:
    """InvalidInput, naming all, where a trigger starts no handler. A handler that nothing starts is a remark."""
    missing = []
    started: set[Handler] = set(handlers.of("command")) | set(handlers.of("health"))
    for trigger in settings.triggers:
        found, decorator = _handlers_of(trigger, handlers)
        started |= set(found)
        missing += [] if found else [f"  {decorator}"]
    for handler in handlers.all:
        if handler not in started:
            LOGGER.warning(line("never called", kind=handler.kind, name=handler.name, handler=handler.place))
    if missing:
        text = "\n".join(missing)
        raise InvalidInput(
            f"the code has no handler for {len(missing)} of the triggers of {settings.resource_id!r}:\n{text}",
            hint="decorate a function of main.py, or of a module that it imports, with each of these",
        )


def _handlers_of(
    trigger: QueueTrigger | ScheduleTrigger | CreatedTrigger, handlers: Handlers
) -> tuple[tuple[Handler, ...], str]:
    """The handlers that a trigger starts, and the decorator that makes one."""
    match trigger:
        case QueueTrigger():
            return _one(handlers.find("message", trigger.resource)), f'@on_message("{trigger.resource}")'
        case CreatedTrigger():
            return _one(handlers.find("created", trigger.resource)), f'@on_created("{trigger.resource}")'
        case ScheduleTrigger():
            return handlers.scheduled(trigger.cron), f'@on_schedule or @on_schedule("{trigger.cron}")'


def _one(handler: Handler | None) -> tuple[Handler, ...]:
    return (handler,) if handler else ()


@asynccontextmanager
async def _triggered(runner: Runner, settings: Settings, clock: Clock) -> AsyncIterator[list[Service]]:
    """What polls for the triggers. Storages have been looked at when this begins: what comes from now on is news."""
    needs_ledger = [t for t in settings.triggers if not isinstance(t, QueueTrigger)]
    if not needs_ledger:
        yield [_messages(t, runner, settings, clock) for t in settings.triggers if isinstance(t, QueueTrigger)]
        return
    if settings.state_dir is None:
        raise BindingInvalid(f"{environment.STATE_DIR} is not set; schedules and created objects need it")
    ledger = Ledger(settings.state_dir)
    try:
        services: list[Service] = []
        for trigger in settings.triggers:
            match trigger:
                case QueueTrigger():
                    services.append(_messages(trigger, runner, settings, clock))
                case ScheduleTrigger():
                    services.append(Schedule(trigger, runner, ledger, clock))
                case CreatedTrigger():
                    created = _created(trigger, runner, ledger, clock)
                    await created.begin()
                    services.append(created)
        yield services
    finally:
        ledger.close()


def _messages(trigger: QueueTrigger, runner: Runner, settings: Settings, clock: Clock) -> Messages:
    binding = parse(LocalQueue, links.binding(trigger.resource), trigger.resource)
    return Messages(
        binding, _handler(runner, "message", trigger.resource), runner, clock, concurrency=settings.concurrency
    )


def _created(trigger: CreatedTrigger, runner: Runner, ledger: Ledger, clock: Clock) -> CreatedObjects:
    place = local_storage.connect(links.binding(trigger.resource), trigger.resource)
    return CreatedObjects(place, _handler(runner, "created", trigger.resource), runner, ledger, clock)


def _handler(runner: Runner, kind: Kind, name: str) -> Handler:
    handler = runner.handlers.find(kind, name)
    if handler is None:
        raise InvalidInput(f'the code has no handler for the {kind} of "{name}"')
    return handler


async def _drain(runner: Runner, ended: asyncio.Event) -> None:
    await ended.wait()
    await runner.stop(DRAIN_SECONDS)
