"""Events to handlers and outcomes to verdicts: what every platform's adapter hands its events to.

Here, and in what this calls, is decided which handlers an event starts, under which id, how long they have, and what
becomes of it. Adapters translate and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from alien_iac.runtime import redelivery
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.events import Created, Event, Instant, Message
from alien_iac.runtime.handlers import Handler
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.redelivery import Verdict
from alien_iac.runtime.runner import STOPPED, Runner
from alien_iac.runtime.work import Failed, Work

MARGIN = timedelta(seconds=1)
MARGIN_PART = 10
"""What is kept of a delivery's time for its answer: a second, or a tenth of a shorter one."""


class Deliveries:
    """The events of one workload."""

    def __init__(self, runner: Runner, clock: Clock) -> None:
        self.runner = runner
        self._clock = clock

    async def deliver(self, event: Event) -> Verdict:
        """Start all handlers of the event, and wait for them. The worst of their verdicts is the event's."""
        started = self.handlers(event)
        return worst(await asyncio.gather(*(self.deliver_to(handler, event) for handler in started)))

    def handlers(self, event: Event) -> tuple[Handler, ...]:
        """The handlers that an event starts."""
        known = self.runner.handlers
        match event:
            case Message():
                found = known.find("message", event.queue)
            case Created():
                found = known.find("created", event.storage)
            case Instant():
                return known.scheduled(event.trigger.cron)
        return (found,) if found else ()

    async def deliver_to(self, handler: Handler, event: Event) -> Verdict:
        """Start one of the event's handlers, and wait for it."""
        work = Work(
            handler=handler,
            id=event.id,
            payload=_payload(event),
            attempt=event.attempt,
            deadline=self.deadline(event.ends),
            trace=event.trace,
        )
        outcome = await self.runner.run(work)
        if not isinstance(outcome, Failed):
            return redelivery.SETTLED
        if outcome.code == STOPPED:
            return redelivery.BACK
        verdict = redelivery.failed(event.attempt, is_kept=isinstance(event, Message) or event.is_kept)
        if verdict is redelivery.GIVEN_UP:
            LOGGER.error(
                line("given up", kind=handler.kind, name=handler.name, by=handler.place, attempts=work.attempt)
            )
        return verdict

    def deadline(self, ends: datetime | None) -> datetime | None:
        """When a handler has to have ended so that its outcome can still be told."""
        if ends is None:
            return None
        return ends - min(MARGIN, max((ends - self._clock.now()) / MARGIN_PART, timedelta(0)))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The one of them that asks for the most. `settled` for none."""
    order = ("settled", "given up", "back", "again")
    return max(verdicts, key=lambda verdict: (order.index(verdict.word), verdict.seconds), default=redelivery.SETTLED)


def _payload(event: Event) -> object:
    match event:
        case Message():
            return event.payload
        case Created():
            return event.key
        case Instant():
            return event.at
