"""Schedules on `local`: each instant of a crontab line in its time zone, at least once, also across restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from alien_iac.errors import InvalidInput
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.runtime import redelivery
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.ending import rest
from alien_iac.runtime.handlers import Handler
from alien_iac.runtime.local.ledger import Ledger
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.runner import STOPPED, Runner
from alien_iac.runtime.work import Failed, Work

CATCH_UP = 100
"""How many instants are made up for after a time in which the process did not run: the newest ones."""
_LOOK_AGAIN_SECONDS = 30.0
"""The longest sleep: the machine's clock may be set, and the machine may sleep."""


def instants(trigger: ScheduleTrigger, after: datetime) -> Iterator[datetime]:
    """The instants (UTC) of a schedule, each later than `after`. InvalidInput where it is no crontab line."""
    try:
        zone = ZoneInfo(trigger.timezone)
        found = CronSim(trigger.cron, after.astimezone(zone))
    except CronSimError as error:
        raise InvalidInput(f'the schedule "{trigger.cron}" is no crontab line: {error}') from error
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput(f'the schedule "{trigger.cron}" has an unknown time zone: "{trigger.timezone}"') from error
    return (instant.astimezone(UTC) for instant in found)


class Schedule:
    """One schedule of the Function, and the handlers that run on it, one instant after the other."""

    def __init__(self, trigger: ScheduleTrigger, runner: Runner, ledger: Ledger, clock: Clock) -> None:
        self._trigger = trigger
        self._runner = runner
        self._ledger = ledger
        self._clock = clock
        self._handlers = runner.handlers.scheduled(trigger.cron)
        next(instants(trigger, clock.now()), None)  # a wrong one stops the process before it serves

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`."""
        last = await asyncio.to_thread(self._ledger.last_instant, self._trigger, self._clock.now())
        while not ended.is_set():
            now = self._clock.now()
            due = self._due(last, now)
            for instant in due:
                if not await self._run_instant(instant, ended):
                    return
                await asyncio.to_thread(self._ledger.end_instant, self._trigger, instant)
                last = instant
            if not due:
                following = next(instants(self._trigger, last), None)
                away = (following - now).total_seconds() if following else _LOOK_AGAIN_SECONDS
                await rest(self._clock, min(max(away, 0.0), _LOOK_AGAIN_SECONDS), ended)

    def _due(self, last: datetime, now: datetime) -> list[datetime]:
        missed = list(takewhile(lambda instant: instant <= now, instants(self._trigger, last)))
        if len(missed) > CATCH_UP:
            LOGGER.warning(line("schedule missed", cron=self._trigger.cron, dropped=len(missed) - CATCH_UP))
        return missed[-CATCH_UP:]

    async def _run_instant(self, instant: datetime, ended: asyncio.Event) -> bool:
        """Run every handler until it succeeds or is given up. False where the process ends before that."""
        left: tuple[Handler, ...] = self._handlers
        while left and not ended.is_set():
            attempt = await asyncio.to_thread(self._ledger.begin_instant, self._trigger)
            outcomes = await asyncio.gather(*(self._runner.run(self._work(h, instant, attempt)) for h in left))
            failed = [(h, o) for h, o in zip(left, outcomes, strict=True) if isinstance(o, Failed)]
            if any(outcome.code == STOPPED for _, outcome in failed):
                return False
            left = tuple(handler for handler, _ in failed)
            if left and attempt >= redelivery.ATTEMPTS:
                for handler in left:
                    LOGGER.error(line("schedule given up", cron=self._trigger.cron, name=handler.place, at=instant))
                return True
            if left:
                await rest(self._clock, redelivery.delay_seconds(attempt), ended)
        return not left

    def _work(self, handler: Handler, instant: datetime, attempt: int) -> Work:
        name = f"{self._trigger.cron}@{instant.isoformat()}"
        return Work(handler=handler, id=name, payload=instant, attempt=attempt)
