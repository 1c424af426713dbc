"""The connections that a Service Bus queue's messages came over, and the messages that are not dealt with yet.

Service Bus takes a message's outcome over the connection that brought it, and one connection does one thing at a time.
So a receive takes a connection that is free, and keeps it from others while messages of it are open: nobody's `ack`
waits for somebody else's `receive`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusReceivedMessage, ServiceBusReceiver

Outcome = Callable[[ServiceBusReceiver, ServiceBusReceivedMessage], None]
SHORTEST_SLEEP_SECONDS = 0.1


@dataclass(eq=False)
class _Link:
    """One connection."""

    receiver: ServiceBusReceiver
    lock: threading.Lock = field(default_factory=threading.Lock)
    open: int = 0
    """How many of its messages are not dealt with."""


@dataclass(eq=False)
class _Held:
    """A message that is not dealt with. It is kept hidden until `until`, on the monotonic clock."""

    message: ServiceBusReceivedMessage
    link: _Link
    until: float = 0.0

    @property
    def locked_seconds(self) -> float:
        ends = self.message.locked_until_utc
        return (ends - datetime.now(UTC)).total_seconds() if ends else 0.0


class Receivers:
    """All of them for one queue, for threads. `connect` makes one that is not open yet."""

    def __init__(self, connect: Callable[[], ServiceBusReceiver]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._idle: list[_Link] = []
        self._held: dict[str, _Held] = {}
        self._links: set[_Link] = set()

    def receive(self, most: int, wait_seconds: float) -> list[ServiceBusReceivedMessage]:
        """Messages, each under its lock token from now on."""
        link = self._free()
        messages: list[ServiceBusReceivedMessage] = []
        try:
            with link.lock:
                messages = link.receiver.receive_messages(max_message_count=most, max_wait_time=wait_seconds)
        finally:
            with self._lock:
                link.open = len(messages)
                self._held |= {str(message.lock_token): _Held(message, link) for message in messages}
            if not messages:
                self._rest(link)
        return messages

    def settle(self, receipt: str, outcome: Outcome) -> None:
        """Tell a message's outcome. KeyError where the receipt is not good, or no longer."""
        held = self._find(receipt)
        with held.link.lock:
            outcome(held.link.receiver, held.message)
        self._let_go(receipt)

    def settle_all(self, outcome: Outcome) -> None:
        """Tell the same outcome of every message that is not dealt with; of one that was lost by now, nothing."""
        for receipt in list(self._held):
            with suppress(KeyError, AzureError):
                self.settle(receipt, outcome)

    def renew(self, receipt: str, seconds: float) -> None:
        """Keep a message hidden for so long, or for the queue's own time where that is longer. KeyError as `settle`."""
        held = self._find(receipt)
        held.until = time.monotonic() + seconds
        self._renew(held)
        self._sleep(receipt, held)

    def close(self) -> None:
        with self._lock:
            links, self._links = self._links, set()
            self._held.clear()
            self._idle.clear()
        for link in links:
            link.receiver.close()

    def _renew(self, held: _Held) -> None:
        with held.link.lock:
            held.link.receiver.renew_message_lock(held.message)

    def _sleep(self, receipt: str, held: _Held) -> None:
        """Ask again in half of the time that is left, if that is not enough."""
        left = held.locked_seconds
        if time.monotonic() + left < held.until:
            timer = threading.Timer(max(left / 2, SHORTEST_SLEEP_SECONDS), self._again, (receipt, held))
            timer.daemon = True
            timer.start()

    def _again(self, receipt: str, held: _Held) -> None:
        with self._lock:
            if self._held.get(receipt) is not held:
                return
        # What cannot be kept hidden comes again, as after any timeout; there is nobody here to tell.
        with suppress(AzureError, ValueError):
            self._renew(held)
            self._sleep(receipt, held)

    def _free(self) -> _Link:
        with self._lock:
            lost = [receipt for receipt, held in self._held.items() if held.locked_seconds <= 0]
        for receipt in lost:
            self._let_go(receipt)
        with self._lock:
            if self._idle:
                return self._idle.pop()
        link = _Link(self._connect())
        with self._lock:
            self._links.add(link)
        return link

    def _find(self, receipt: str) -> _Held:
        with self._lock:
            return self._held[receipt]

    def _let_go(self, receipt: str) -> None:
        with self._lock:
            held = self._held.pop(receipt, None)
            if held is None:
                return
            held.link.open -= 1
            left = held.link.open
        if not left:
            self._rest(held.link)

    def _rest(self, link: _Link) -> None:
        """Keep one connection for the next receive: Service Bus may send to any that is open, used or not."""
        with self._lock:
            if not self._idle:
                self._idle.append(link)
                return
            self._links.discard(link)
        link.receiver.close()
