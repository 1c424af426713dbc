"""Telemetry from the workloads to the agent: the customer's level is enforced on whatever any image sends.

It is OTLP/HTTP on the agent's own address. What was taken is on the disk before it is acknowledged.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from alien_iac.agent.outbox import Arrival, Outbox
from alien_iac.errors import Unavailable
from alien_iac.protocol.telemetry import otlp
from alien_iac.protocol.telemetry.levels import Level, Signal, carries
from alien_iac.protocol.telemetry.screen import screen
from alien_iac.protocol.telemetry.stamp import SERVICE, WORKLOAD, stamp

AT_ONCE = 2
"""Requests that are unpacked at once: each may take a hundred megabytes for a moment."""
WAIT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request as it came. `batch`: the id under which its sender may send it again."""

    signal: Signal
    workload: str
    body: bytes
    content_type: str
    encoding: str = ""
    batch: str = ""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What the sender is answered."""

    level: Level
    body: bytes
    content_type: str


class Gateway:
    """`level` tells the level that holds now: the customer's, or the vendor's where that is stricter."""

    def __init__(self, outbox: Outbox, level: Callable[[], Level]) -> None:
        self._outbox = outbox
        self._level = level
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def take(self, sent: Sent) -> Taken:
        """Keep what may leave. Blocks; InvalidInput for what is no OTLP, Unavailable where too much comes at once."""
        level, rejected = self._level(), 0
        if carries(level, sent.signal):
            if not self._slots.acquire(timeout=WAIT_S):
                raise Unavailable("too much telemetry comes at once", hint="send it again later")
            try:
                rejected = self._keep(sent, level)
            finally:
                self._slots.release()
        body, content_type = otlp.answer(sent.signal, sent.content_type, rejected)
        return Taken(level=level, body=body, content_type=content_type)

    def _keep(self, sent: Sent, level: Level) -> int:
        request = otlp.read(sent.signal, sent.body, sent.content_type, sent.encoding, limit=otlp.GATEWAY_LIMIT)
        screened = screen(sent.signal, request, level)
        mine = {SERVICE: sent.workload, WORKLOAD: sent.workload}
        stamp(screened.request, [mine] * len(otlp.groups(screened.request)))
        batch = f"{sent.workload} {sent.batch}" if sent.batch else ""
        body = otlp.written(screened.request)
        self._outbox.put(Arrival(signal=sent.signal, level=level, items=screened.kept, body=body, batch=batch))
        self._outbox.lose(sent.signal, "broken", screened.refused)
        return screened.refused
