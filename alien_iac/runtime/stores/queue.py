"""Messages: the face of a Queue for those who send and, outside `on_message`, receive.

    jobs = queue("jobs")
    await jobs.send({"key": "a.png"})         # any value with a JSON form, pydantic models too
    jobs.sync.send({"key": "a.png"})          # the same from a sync handler

At least once: a message may come twice, and in another order. A received one is hidden for the queue's visibility
timeout and comes back unless it was acknowledged; after the queue's `max_receives` it becomes a dead letter. Errors are
the same on every platform: InvalidInput (a message that is too large), NotFound, Conflict (a receipt that is no longer
good), Unauthorized, Unavailable.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import pydantic_core

from alien_iac.errors import InvalidInput
from alien_iac.runtime.stores.once import Once
from alien_iac.runtime.telemetry.spans import traceparent
from alien_iac.runtime.work import Payload

MESSAGE_LIMIT = 65_536
RECEIVE_LIMIT = 10
WAIT_LIMIT = 20
LEASE_LIMIT = 600

_UNSENDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML has no way to write, and so a queue that speaks XML."""


@dataclass(frozen=True, kw_only=True)
class QueueMessage:
    """One received message. `payload` is the JSON value, or the text that was sent as text."""

    payload: object
    payload_type: Literal["json", "text"]
    receipt_handle: str
    attempt: int
    id: str
    """The same each time the message is delivered."""
    trace: str | None = None
    """The `traceparent` that it was sent with."""


@dataclass(frozen=True, kw_only=True)
class SendResult:
    """How one message of a batch fared. After `unknown` it may have been stored or not."""

    status: Literal["sent", "rejected", "unknown"]
    message: str = ""


class QueueStore(Protocol):
    """One platform's side of a Queue, for threads."""

    def send(self, message: Payload) -> None: ...

    def send_batch(self, messages: Sequence[Payload]) -> list[SendResult]: ...

    def receive(self, max_messages: int, wait_seconds: float) -> list[QueueMessage]: ...

    def ack(self, receipt_handle: str) -> None: ...

    def nack(self, receipt_handle: str) -> None: ...

    def renew(self, receipt_handle: str, seconds: int) -> None: ...

    def purge(self) -> None: ...


class SyncQueue:
    """The messages of one queue, for sync code and for threads."""

    def __init__(self, resource_id: str, connect: Callable[[], QueueStore]) -> None:
        self._id = resource_id
        self._store = Once(connect)

    def send(self, value: object) -> None:
        """Send a value with a JSON form: it is stored when this returns."""
        self._store().send(self._json(value))

    def send_text(self, text: str) -> None:
        """Send text as it is: some, and without control characters other than tab and line ends."""
        if not text:
            raise InvalidInput(f'queue "{self._id}": the message is empty; text has a character or more')
        if found := _UNSENDABLE.search(text):
            raise InvalidInput(
                f'queue "{self._id}": the text holds the character {found[0]!r}, which not every queue takes',
                hint="send it as JSON with send(), which writes it in other characters",
            )
        self._store().send(self._sized(Payload(text, is_json=False, trace=traceparent())))

    def send_batch(self, values: Iterable[object]) -> list[SendResult]:
        """Send several; each has its own result, in their order."""
        messages = [self._json(value) for value in values]
        return self._store().send_batch(messages) if messages else []

    def receive(self, max_messages: int = 1, *, wait_seconds: float = 0) -> list[QueueMessage]:
        """At most ten messages; waits up to twenty seconds for the first. Acknowledge each with `ack`."""
        if not 1 <= max_messages <= RECEIVE_LIMIT:
            raise InvalidInput(f'queue "{self._id}": receives 1 to {RECEIVE_LIMIT} messages, not {max_messages}')
        return self._store().receive(max_messages, min(max(wait_seconds, 0), WAIT_LIMIT))

    def ack(self, message: QueueMessage | str) -> None:
        """The message (or its receipt) is dealt with.

        Where its visibility timeout had ended before, the message comes again; Conflict where the platform can tell.
        """
        self._store().ack(_receipt(message))

    def nack(self, message: QueueMessage | str) -> None:
        """Give the message back, for somebody to receive at once."""
        self._store().nack(_receipt(message))

    def renew(self, message: QueueMessage | str, seconds: int) -> None:
        """Keep the message hidden for so many seconds from now (1 to 600)."""
        if not 1 <= seconds <= LEASE_LIMIT:
            raise InvalidInput(f'queue "{self._id}": a message is kept 1 to {LEASE_LIMIT} seconds, not {seconds}')
        self._store().renew(_receipt(message), seconds)

    def purge(self) -> None:
        """Remove every message that waits or is in work. Dead letters stay."""
        self._store().purge()

    def _json(self, value: object) -> Payload:
        try:
            text = pydantic_core.to_json(value, inf_nan_mode="null").decode()
        except (pydantic_core.PydanticSerializationError, UnicodeDecodeError) as error:
            raise InvalidInput(f'queue "{self._id}": a message of {type(value)} has no JSON form') from error
        return self._sized(Payload(_UNSENDABLE.sub(_escaped, text), is_json=True, trace=traceparent()))

    def _sized(self, message: Payload) -> Payload:
        size = len(message.text.encode())
        if size > MESSAGE_LIMIT:
            raise InvalidInput(
                f'queue "{self._id}": the message has {size} bytes; {MESSAGE_LIMIT} fit',
                hint="put what is large into a storage, and send its key",
            )
        return message


class Queue:
    """The messages of one queue, for async code; `sync` is the same for sync code."""

    def __init__(self, resource_id: str, connect: Callable[[], QueueStore]) -> None:
        self.sync = SyncQueue(resource_id, connect)

    async def send(self, value: object) -> None:
        """As `SyncQueue.send`."""
        await asyncio.to_thread(self.sync.send, value)

    async def send_text(self, text: str) -> None:
        """As `SyncQueue.send_text`."""
        await asyncio.to_thread(self.sync.send_text, text)

    async def send_batch(self, values: Iterable[object]) -> list[SendResult]:
        """As `SyncQueue.send_batch`."""
        return await asyncio.to_thread(self.sync.send_batch, values)

    async def receive(self, max_messages: int = 1, *, wait_seconds: float = 0) -> list[QueueMessage]:
        """As `SyncQueue.receive`."""
        return await asyncio.to_thread(self.sync.receive, max_messages, wait_seconds=wait_seconds)

    async def ack(self, message: QueueMessage | str) -> None:
        """As `SyncQueue.ack`."""
        await asyncio.to_thread(self.sync.ack, message)

    async def nack(self, message: QueueMessage | str) -> None:
        """As `SyncQueue.nack`."""
        await asyncio.to_thread(self.sync.nack, message)

    async def renew(self, message: QueueMessage | str, seconds: int) -> None:
        """As `SyncQueue.renew`."""
        await asyncio.to_thread(self.sync.renew, message, seconds)

    async def purge(self) -> None:
        """As `SyncQueue.purge`."""
        await asyncio.to_thread(self.sync.purge)


def _receipt(message: QueueMessage | str) -> str:
    return message if isinstance(message, str) else message.receipt_handle


def _escaped(found: re.Match[str]) -> str:
    """A character as JSON text writes any: only in strings of it are there such."""
    return f"\\u{ord(found[0]):04x}"
