"""The process of a Function in a Container App, from its start to its end; and of a job, which is one schedule's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from alien_iac.errors import BindingInvalid, Unavailable
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.protocol import azure_functions
from alien_iac.runtime import drain, server, workload
from alien_iac.runtime.azure import polled, timers
from alien_iac.runtime.azure.callers import admission
from alien_iac.runtime.clock import SystemClock
from alien_iac.runtime.deliveries import worst
from alien_iac.runtime.events import Instant
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.problems import problems
from alien_iac.runtime.redelivery import ATTEMPTS
from alien_iac.runtime.server import Serving
from alien_iac.runtime.settings import Settings
from alien_iac.runtime.telemetry.process import captured
from alien_iac.runtime.workload import Workload

LIMIT_SECONDS = 240.0
"""After so long the ingress of Container Apps cuts a request off."""


async def run(folder: Path, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Load the folder's code and serve it until SIGTERM or SIGINT; as a job, run its schedule once, or answer commands.

    InvalidInput or BindingInvalid before anything is served, where a trigger has no handler or is wrong. Unavailable
    for a job whose handlers failed to the last, so that it counts as failed.
    """
    mine = workload.load(folder, settings, SystemClock())
    job = environ.get(azure_functions.JOB)
    if job:
        with captured():
            await (drain.drain(mine) if job == azure_functions.DRAIN else _run_job(mine, _schedule(job)))
        return
    limit = min(LIMIT_SECONDS, settings.timeout_seconds or LIMIT_SECONDS)
    beside = tuple(polled.services(mine, environ))
    await server.run(mine, Serving(admission=admission(environ), limit_seconds=limit, beside=beside))


def _schedule(text: str) -> ScheduleTrigger:
    try:
        return ScheduleTrigger.model_validate_json(text)
    except ValidationError as error:
        raise BindingInvalid(f"{azure_functions.JOB} is no schedule: {problems(error)}") from None


async def _run_job(mine: Workload, trigger: ScheduleTrigger) -> None:
    """Run the handlers until each has succeeded or is given up."""
    at = timers.newest(trigger, mine.clock.now())
    if at is None:
        LOGGER.info(line("job", cron=trigger.cron, why="this is no instant of the schedule"))
        return
    seconds = mine.settings.timeout_seconds
    ends = mine.clock.now() + timedelta(seconds=seconds) if seconds else None
    event = Instant(trigger=trigger, at=at, ends=ends, is_kept=False)
    left = mine.deliveries.handlers(event)
    for attempt in range(1, ATTEMPTS + 1):
        event = replace(event, attempt=attempt)
        verdicts = {handler: await mine.deliveries.deliver_to(handler, event) for handler in left}
        left = tuple(handler for handler, verdict in verdicts.items() if verdict.word != "settled")
        if not left:
            return
        await mine.clock.sleep(worst(verdicts.values()).seconds)
    raise Unavailable(f'{len(left)} handler(s) of the schedule "{trigger.cron}" failed; the log says why')
