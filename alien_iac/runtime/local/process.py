"""The process of a Function on `local`, from its start to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from alien_iac.errors import BindingInvalid
from alien_iac.models.triggers import CreatedTrigger, QueueTrigger, ScheduleTrigger
from alien_iac.protocol import environment
from alien_iac.protocol.bindings import LocalQueue
from alien_iac.runtime import links, receiver, server, serving, workload
from alien_iac.runtime.clock import SystemClock
from alien_iac.runtime.doors import WorkloadToken
from alien_iac.runtime.events import message_of
from alien_iac.runtime.http import async_client
from alien_iac.runtime.local.created import CreatedObjects
from alien_iac.runtime.local.ledger import Ledger
from alien_iac.runtime.local.messages import Broker
from alien_iac.runtime.local.schedules import Schedule
from alien_iac.runtime.polling import Polled
from alien_iac.runtime.receiver import Receiver
from alien_iac.runtime.server import Service, Serving
from alien_iac.runtime.settings import Settings
from alien_iac.runtime.stores import local_storage
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.vitals import Heartbeats
from alien_iac.runtime.workload import Workload


async def run(folder: Path, settings: Settings) -> None:
    """Load the folder's code and serve it until SIGTERM or SIGINT.

    InvalidInput or BindingInvalid before anything is served, where a trigger has no handler or is wrong.
    """
    mine = workload.load(folder, settings, SystemClock())
    async with _triggered(mine) as services, _commanded(mine) as receivers:
        beside = [*services, *receivers, Heartbeats(mine.vitals, settings, mine.clock)]
        await server.run(mine, Serving(admission=WorkloadToken(settings), host=serving.LOOPBACK, beside=beside))


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


@asynccontextmanager
async def _commanded(mine: Workload) -> AsyncIterator[list[Service]]:
    """What asks the control plane for commands, all the time, where no agent calls with them."""
    wanted = receiver.read()
    if wanted is None:
        yield []
        return
    async with async_client() as http:
        yield [Receiver(wanted, mine.runner, mine.clock, http)]


def _messages(trigger: QueueTrigger, mine: Workload) -> Polled:
    queue = trigger.resource
    broker = Broker(queue, parse(LocalQueue, links.binding(queue), queue), mine.clock)
    translate = partial(message_of, queue)
    return Polled(broker, translate, mine.deliveries, mine.clock, concurrency=mine.settings.concurrency)


def _created(trigger: CreatedTrigger, mine: Workload, ledger: Ledger) -> CreatedObjects:
    place = local_storage.connect(links.binding(trigger.resource), trigger.resource)
    return CreatedObjects(trigger.resource, place, mine.deliveries, ledger, mine.clock)
