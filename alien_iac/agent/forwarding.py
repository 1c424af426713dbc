"""Telemetry from the agent to the control plane: in its order, until it is taken, at the level that holds then."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Protocol

from alien_iac.agent.outbox import Outbox, Parcel
from alien_iac.errors import Conflict, Forbidden, InvalidInput, NotFound
from alien_iac.protocol.telemetry import otlp
from alien_iac.protocol.telemetry.levels import LEVELS, LOST, Level, Signal, carries
from alien_iac.protocol.telemetry.screen import screen
from alien_iac.protocol.telemetry.stamp import SERVICE, WORKLOAD, fact, stamp

_LOG = logging.getLogger(__name__)
LOSSES_S = 10.0
"""How often the agent tells what was lost, while that grows."""
_AGENT = "agent"


class Carrier(Protocol):
    """Where it goes."""

    async def telemetry(self, signal: Signal, body: bytes, batch: str) -> None: ...


class Forwarder:
    """One parcel after the other. `arrived` is set when something new waits."""

    def __init__(self, outbox: Outbox, level: Callable[[], Level], carrier: Carrier, arrived: asyncio.Event) -> None:
        self._outbox = outbox
        self._level = level
        self._carrier = carrier
        self._arrived = arrived
        self._told: list[tuple[Signal, str, int]] = []
        self._tell_at = 0.0

    async def once(self) -> None:
        """Send what waits, and wait for more. Raises Unavailable or Unauthorized where it must be tried again."""
        self._arrived.clear()
        await self._tell_losses()
        while (parcel := await asyncio.to_thread(self._outbox.oldest)) is not None:
            await self._send(parcel)
        try:
            async with asyncio.timeout(LOSSES_S):
                await self._arrived.wait()
        except TimeoutError:
            return

    async def _send(self, parcel: Parcel) -> None:
        level = await asyncio.to_thread(self._level)
        body, kept = await asyncio.to_thread(_at_level, parcel, level)
        if kept:
            try:
                await self._carrier.telemetry(parcel.signal, body, parcel.id)
            except (InvalidInput, Forbidden, NotFound, Conflict) as error:
                _LOG.warning("the control plane does not take telemetry (%s): %s", parcel.signal, error.message)
                await asyncio.to_thread(self._outbox.done, parcel, lost=parcel.items, reason="refused")
                return
        await asyncio.to_thread(self._outbox.done, parcel, lost=parcel.items - kept, reason="level")

    async def _tell_losses(self) -> None:
        losses = await asyncio.to_thread(self._outbox.losses)
        level = await asyncio.to_thread(self._level)
        if losses == self._told or time.monotonic() < self._tell_at or not carries(level, "metrics"):
            return
        await self._carrier.telemetry("metrics", _counted(losses), "")
        self._told, self._tell_at = losses, time.monotonic() + LOSSES_S


def _at_level(parcel: Parcel, level: Level) -> tuple[bytes, int]:
    """The parcel as it may leave now, and how many items that has: the level may be stricter than when it came."""
    if LEVELS.index(parcel.level) <= LEVELS.index(level):
        return parcel.body, parcel.items
    request = otlp.read(parcel.signal, parcel.body, otlp.PROTOBUF, limit=len(parcel.body))
    screened = screen(parcel.signal, request, level)
    workloads = [fact(group.resource.attributes, WORKLOAD) for group in otlp.groups(request)]
    if screened.kept:
        stamp(screened.request, [{SERVICE: workload, WORKLOAD: workload} for workload in workloads])
    return otlp.written(screened.request), screened.kept


def _counted(losses: list[tuple[Signal, str, int]]) -> bytes:
    """The losses as a metric, in protobuf."""

    def text(key: str, value: str) -> dict[str, object]:
        return {"key": key, "value": {"stringValue": value}}

    now = str(time.time_ns())
    points = [
        {
            "attributes": [text("alien.signal", signal), text("alien.reason", reason), text("alien.place", _AGENT)],
            "timeUnixNano": now,
            "asInt": str(items),
        }
        for signal, reason, items in losses
    ]
    total = {"dataPoints": points, "isMonotonic": True, "aggregationTemporality": 2}
    resource = {"attributes": [text(SERVICE, _AGENT), text(WORKLOAD, _AGENT)]}
    metrics = [{"name": LOST, "unit": "{item}", "sum": total}]
    told = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}
    return otlp.written(otlp.read("metrics", json.dumps(told).encode(), otlp.JSON))
