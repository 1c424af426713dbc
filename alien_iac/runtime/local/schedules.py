"""Schedules on `local`: each instant of a crontab line in its time zone, at least once, also across restarts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.deliveries import Deliveries, worst
from alien_iac.runtime.ending import rest
from alien_iac.runtime.events import Instant
from alien_iac.runtime.handlers import Handler
from alien_iac.runtime.instants import instants, missed
from alien_iac.runtime.local.ledger import Ledger
from alien_iac.runtime.redelivery import BACK

_LOOK_AGAIN_SECONDS = 30.0
"""The longest sleep: the machine's clock may be set, and the machine may sleep."""


class Schedule:
    """One schedule of the Function, and the handlers that run on it, one instant after the other."""

    def __init__(self, trigger: ScheduleTrigger, deliveries: Deliveries, ledger: Ledger, clock: Clock) -> None:
        self._trigger = trigger
        self._deliveries = deliveries
        self._ledger = ledger
        self._clock = clock
        next(instants(trigger, clock.now()), None)  # a wrong one stops the process before it serves

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`."""
        last = await asyncio.to_thread(self._ledger.last_instant, self._trigger, self._clock.now())
        while not ended.is_set():
            now = self._clock.now()
            due = missed(self._trigger, last, now)
            for instant in due:
                if not await self._run_instant(instant, ended):
                    return
                await asyncio.to_thread(self._ledger.end_instant, self._trigger, instant)
                last = instant
            if not due:
                following = next(instants(self._trigger, last), None)
                away = (following - now).total_seconds() if following else _LOOK_AGAIN_SECONDS
                await rest(self._clock, min(max(away, 0.0), _LOOK_AGAIN_SECONDS), ended)

    async def _run_instant(self, instant: datetime, ended: asyncio.Event) -> bool:
        """Run every handler until it succeeds or is given up. False where the process ends before that."""
        event = Instant(trigger=self._trigger, at=instant, is_kept=False)
        left: tuple[Handler, ...] = self._deliveries.handlers(event)
        while left and not ended.is_set():
            attempt = await asyncio.to_thread(self._ledger.begin_instant, self._trigger)
            event = replace(event, attempt=attempt)
            verdicts = await asyncio.gather(*(self._deliveries.deliver_to(handler, event) for handler in left))
            if any(verdict == BACK for verdict in verdicts):
                return False
            left = tuple(handler for handler, verdict in zip(left, verdicts, strict=True) if not verdict.is_final)
            if left:
                await rest(self._clock, worst(verdicts).seconds, ended)
        return not left
