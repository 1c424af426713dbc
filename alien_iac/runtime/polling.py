"""A queue that the workload asks itself: several messages at once, each settled by itself.

A process that is killed leaves its messages to the queue's own visibility timeout.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from alien_iac.errors import AlienError
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.deliveries import Deliveries
from alien_iac.runtime.ending import first, rest
from alien_iac.runtime.events import Event
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.redelivery import GIVEN_UP, Backoff, Verdict
from alien_iac.runtime.stores.queue import RECEIVE_LIMIT, QueueMessage


class Source(Protocol):
    """One platform's queue, for this loop."""

    async def receive(self, most: int, ended: asyncio.Event) -> list[QueueMessage]:
        """Up to `most` messages; waits a while for the first, and not after `ended`. An AlienError where it is away."""
        ...

    async def settle(self, message: QueueMessage, verdict: Verdict) -> None:
        """Tell the queue what became of a message. What it does not hear comes again."""
        ...

    async def close(self) -> None: ...


class Polled:
    """The messages of one queue that start the Function. InvalidInput of `translate` is a message in vain."""

    def __init__(
        self,
        source: Source,
        translate: Callable[[QueueMessage], Event],
        deliveries: Deliveries,
        clock: Clock,
        *,
        concurrency: int,
    ) -> None:
        self._source = source
        self._translate = translate
        self._deliveries = deliveries
        self._clock = clock
        self._concurrency = concurrency

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`, and then until what was received is settled."""
        running: set[asyncio.Task[None]] = set()
        backoff = Backoff(first=0.5, longest=10)
        try:
            while not ended.is_set():
                free = min(self._concurrency - len(running), RECEIVE_LIMIT)
                if not free:
                    await first(running, ended)
                    continue
                try:
                    received = await self._source.receive(free, ended)
                except AlienError as error:
                    LOGGER.warning(line("receive", why=error.message))
                    await rest(self._clock, backoff.next(), ended)
                    continue
                backoff.reset()
                for message in received:
                    task = asyncio.create_task(self._deal(message))
                    running.add(task)
                    task.add_done_callback(running.discard)
            await asyncio.gather(*running)
        finally:
            await self._source.close()

    async def _deal(self, message: QueueMessage) -> None:
        try:
            event = self._translate(message)
        except AlienError as error:
            LOGGER.error(line("refused", id=message.id, why=error.message))
            await self._source.settle(message, GIVEN_UP)
            return
        await self._source.settle(message, await self._deliveries.deliver(event))
