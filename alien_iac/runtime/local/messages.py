"""A queue's messages on `local`: long polls at the broker, several messages at once, each acknowledged by itself.

Returning acknowledges. A failure hides the message for a moment that grows with its attempts; the broker counts them,
and ends the message as a dead letter. A process that is killed leaves its messages to the visibility timeout.
"""

from __future__ import annotations

import asyncio
import math

import httpx

from alien_iac.errors import AlienError, Conflict, Unavailable
from alien_iac.protocol import queue_http as wire
from alien_iac.protocol.bindings import LocalQueue
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.deliveries import Deliveries
from alien_iac.runtime.ending import first, rest
from alien_iac.runtime.events import Message, payload_of
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.redelivery import Backoff
from alien_iac.runtime.stores.local_queue import away, checked, from_wire
from alien_iac.runtime.stores.queue import RECEIVE_LIMIT, WAIT_LIMIT, QueueMessage

_SETTLE_TRIES = 10
"""About fifteen seconds: longer than a broker takes to come back, shorter than a process has to end."""


class Messages:
    """The messages of one queue that trigger the Function."""

    def __init__(
        self, queue: str, binding: LocalQueue, deliveries: Deliveries, clock: Clock, *, concurrency: int
    ) -> None:
        self._queue = queue
        self._binding = binding
        self._deliveries = deliveries
        self._concurrency = concurrency
        self._clock = clock

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`, and then until what was received is settled."""
        headers = {"Authorization": f"Bearer {self._binding.token}", "Content-Type": "application/json"}
        running: set[asyncio.Task[None]] = set()
        backoff = Backoff(first=0.5, longest=10)
        async with httpx.AsyncClient(headers=headers, timeout=WAIT_LIMIT + 15, trust_env=False) as http:
            while not ended.is_set():
                free = min(self._concurrency - len(running), RECEIVE_LIMIT)
                if not free:
                    await first(running, ended)
                    continue
                received = await self._receive_or_end(http, free, ended)
                if received is None:
                    await rest(self._clock, backoff.next(), ended)
                    continue
                backoff.reset()
                for message in received:
                    task = asyncio.create_task(self._deal(http, message))
                    running.add(task)
                    task.add_done_callback(running.discard)
            await asyncio.gather(*running)

    async def _receive_or_end(
        self, http: httpx.AsyncClient, most: int, ended: asyncio.Event
    ) -> list[QueueMessage] | None:
        """What was received; None where the broker did not answer well."""
        operation = wire.Receive(max_messages=most, wait_seconds=WAIT_LIMIT)
        receiving = asyncio.create_task(self._call(http, operation))
        await first([receiving], ended)
        if not receiving.done():
            # The broker sees the connection close, and keeps the messages.
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
            return []
        try:
            return [from_wire(one) for one in wire.RECEIVED.validate_json(receiving.result())]
        except AlienError as error:
            LOGGER.warning(line("receive", queue=self._queue, why=error.message))
            return None

    async def _deal(self, http: httpx.AsyncClient, message: QueueMessage) -> None:
        event = Message(queue=self._queue, number=message.id, payload=payload_of(message), attempt=message.attempt)
        verdict = await self._deliveries.deliver(event)
        receipt = message.receipt_handle
        if verdict.is_final:
            await self._settle(http, wire.Ack(receipt=receipt))
        elif verdict.seconds:
            await self._settle(http, wire.Renew(receipt=receipt, duration_seconds=math.ceil(verdict.seconds)))
        else:
            await self._settle(http, wire.Nack(receipt=receipt))

    async def _settle(self, http: httpx.AsyncClient, operation: wire.Operation) -> None:
        """Tell the broker, also one that restarts just now. What it does not hear comes again."""
        backoff = Backoff(first=0.2, longest=2)
        for _ in range(_SETTLE_TRIES):
            try:
                await self._call(http, operation)
            except Conflict as error:
                LOGGER.warning(line("settle", queue=self._queue, why=error.message))
            except Unavailable:
                await self._clock.sleep(backoff.next())
                continue
            return
        LOGGER.warning(line("settle", queue=self._queue, why="the broker does not answer; the message comes again"))

    async def _call(self, http: httpx.AsyncClient, operation: wire.Operation) -> bytes:
        try:
            answer = await http.post(self._binding.endpoint, content=operation.model_dump_json(by_alias=True))
        except httpx.HTTPError as error:
            raise away(error, self._queue) from error
        return checked(answer, self._queue)
