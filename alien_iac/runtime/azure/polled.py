"""What starts a Function in a Container App: no host asks its queues there, so it does so itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pydantic_core

from alien_iac.errors import AlienError, BindingInvalid
from alien_iac.protocol import azure_functions
from alien_iac.protocol.bindings import ServiceBusQueue
from alien_iac.runtime import links, triggers
from alien_iac.runtime.azure import notices
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.events import Created, Event, message_of
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.polling import Polled
from alien_iac.runtime.redelivery import Verdict
from alien_iac.runtime.stores import azure_queue
from alien_iac.runtime.stores.queue import QueueMessage, QueueStore
from alien_iac.runtime.workload import Workload

WAIT_SECONDS = 5.0
"""How long a receive waits; the process ends that much later."""
KEEP_SECONDS = 3600
"""For how long a message is kept at most: longer than a handler may take."""
_DOMAIN = ".servicebus.windows.net"


class Blocking:
    """A store for threads, as `polling.Source`."""

    def __init__(self, store: QueueStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def receive(self, most: int, ended: asyncio.Event) -> list[QueueMessage]:  # noqa: ARG002 - a thread is not cut short
        """What a receive finds. Each message is kept until it is settled, however short the queue's own lock is."""
        received = await asyncio.to_thread(self._store.receive, most, WAIT_SECONDS)
        for message in received:
            await asyncio.to_thread(self._store.renew, message.receipt_handle, KEEP_SECONDS)
        return received

    async def settle(self, message: QueueMessage, verdict: Verdict) -> None:
        """Service Bus gives a message again at once, so one that failed rests here before."""
        try:
            if verdict.is_final:
                await asyncio.to_thread(self._store.ack, message.receipt_handle)
                return
            await self._clock.sleep(verdict.seconds)
            await asyncio.to_thread(self._store.nack, message.receipt_handle)
        except AlienError as error:
            LOGGER.warning(line("settle", id=message.id, why=error.message))

    async def close(self) -> None:
        """The store closes with the process."""


def services(mine: Workload, environ: Mapping[str, str]) -> Iterator[Polled]:
    """What asks for the messages of each queue, and for the notices of each storage. BindingInvalid."""
    for queue in triggers.queues(mine.settings):
        source = Blocking(links.connect("queue", queue), mine.clock)
        yield _polled(mine, source, partial(message_of, queue))
    created = notices.queues(environ)
    for storage in triggers.storages(mine.settings):
        if storage not in created:
            raise BindingInvalid(f'{azure_functions.CREATED_QUEUES} names no queue of the storage "{storage}"')
        source = Blocking(_notices(created[storage], storage, environ), mine.clock)
        yield _polled(mine, source, partial(_created, storage))


def _polled(mine: Workload, source: Blocking, translate: Callable[[QueueMessage], Event]) -> Polled:
    return Polled(source, translate, mine.deliveries, mine.clock, concurrency=mine.settings.concurrency)


def _notices(queue: str, storage: str, environ: Mapping[str, str]) -> QueueStore:
    namespace = environ.get(azure_functions.NAMESPACE, "").removesuffix(_DOMAIN)
    if not namespace:
        raise BindingInvalid(f"{azure_functions.NAMESPACE} is not set; new objects are told of through it")
    return azure_queue.connect(ServiceBusQueue(namespace=namespace, queue_name=queue).dump(), storage)


def _created(storage: str, message: QueueMessage) -> Created:
    return notices.created(storage, pydantic_core.to_json(message.payload), message.attempt)
