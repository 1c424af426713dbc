"""A Function's code made ready for events: loaded, checked against its triggers, with what runs its handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from alien_iac.runtime import loading, triggers
from alien_iac.runtime.answers import Answers
from alien_iac.runtime.bodies import Bodies
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.deliveries import Deliveries
from alien_iac.runtime.runner import Runner
from alien_iac.runtime.settings import Settings
from alien_iac.runtime.telemetry.asgi import traced
from alien_iac.runtime.vitals import Vitals

if TYPE_CHECKING:
    import httpx

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One Function, for one event loop."""

    settings: Settings
    clock: Clock
    runner: Runner
    deliveries: Deliveries
    vitals: Vitals
    asgi: Asgi | None
    """The vendor's own HTTP app."""

    def answers(self, http: Callable[[], httpx.AsyncClient], result_limit: int | None = None) -> Answers:
        """Its answers to commands and calls. `http` fetches what lies beside an envelope; `result_limit`: as there."""
        return Answers(self.deliveries, Bodies(http), self.settings, result_limit=result_limit)


def load(folder: Path, settings: Settings, clock: Clock) -> Workload:
    """The Function in a folder. InvalidInput where a trigger has no handler; else as `loading.load`."""
    program = loading.load(folder)
    triggers.check(program.handlers, settings)
    runner = Runner(program.handlers, clock=clock, timeout_seconds=settings.timeout_seconds)
    return Workload(
        settings=settings,
        clock=clock,
        runner=runner,
        deliveries=Deliveries(runner, clock),
        vitals=Vitals(runner, settings),
        asgi=traced(cast("Asgi", program.asgi)) if program.asgi else None,
    )
