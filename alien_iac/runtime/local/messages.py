"""A queue on `local`: long polls at the broker, which counts a message's attempts and ends it as a dead letter."""

from __future__ import annotations

import asyncio
import math

import httpx

from alien_iac.errors import Conflict, Unavailable
from alien_iac.protocol import queue_http as wire
from alien_iac.protocol.bindings import LocalQueue
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.ending import first
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.redelivery import Backoff, Verdict
from alien_iac.runtime.stores.local_queue import away, checked, from_wire
from alien_iac.runtime.stores.queue import WAIT_LIMIT, QueueMessage

_SETTLE_TRIES = 10
"""About fifteen seconds: longer than a broker takes to come back, shorter than a process has to end."""


class Broker:
    """One queue, as `polling.Source`."""

    def __init__(self, queue: str, binding: LocalQueue, clock: Clock) -> None:
        self._queue = queue
        self._endpoint = binding.endpoint
        self._clock = clock
        headers = {"Authorization": f"Bearer {binding.token}", "Content-Type": "application/json"}
        self._http = httpx.AsyncClient(headers=headers, timeout=WAIT_LIMIT + 15, trust_env=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def receive(self, most: int, ended: asyncio.Event) -> list[QueueMessage]:
        receiving = asyncio.create_task(self._call(wire.Receive(max_messages=most, wait_seconds=WAIT_LIMIT)))
        await first([receiving], ended)
        if not receiving.done():
            # The broker sees the connection close, and keeps the messages.
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
            return []
        return [from_wire(one) for one in wire.RECEIVED.validate_json(receiving.result())]

    async def settle(self, message: QueueMessage, verdict: Verdict) -> None:
        """Also with a broker that restarts just now."""
        operation = _operation(message.receipt_handle, verdict)
        backoff = Backoff(first=0.2, longest=2)
        for _ in range(_SETTLE_TRIES):
            try:
                await self._call(operation)
            except Conflict as error:
                LOGGER.warning(line("settle", queue=self._queue, why=error.message))
            except Unavailable:
                await self._clock.sleep(backoff.next())
                continue
            return
        LOGGER.warning(line("settle", queue=self._queue, why="the broker does not answer; the message comes again"))

    async def _call(self, operation: wire.Operation) -> bytes:
        try:
            answer = await self._http.post(self._endpoint, content=operation.model_dump_json(by_alias=True))
        except httpx.HTTPError as error:
            raise away(error, self._queue) from error
        return checked(answer, self._queue)


def _operation(receipt: str, verdict: Verdict) -> wire.Operation:
    if verdict.is_final:
        return wire.Ack(receipt=receipt)
    if verdict.seconds:
        return wire.Renew(receipt=receipt, duration_seconds=math.ceil(verdict.seconds))
    return wire.Nack(receipt=receipt)
