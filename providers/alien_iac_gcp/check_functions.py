"""Functions: the sizes that Cloud Run has, and how long what starts a Function waits for it."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import FunctionArguments
from alien_iac.models.crontab import parse
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac.models.triggers import QueueTrigger, ScheduleTrigger, Trigger
from alien_iac.models.units import parse_seconds
from alien_iac_gcp.crontab import expressions
from alien_iac_gcp.sizes import asked, run_size

PUSHED_S, SCHEDULED_S = 600, 1800
"""What Pub/Sub and Cloud Scheduler wait at most before they send the same again."""


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every Function."""
    for component in stack.components:
        arguments = component.arguments
        if isinstance(arguments, FunctionArguments):
            yield from _size(component.id, arguments)
            for trigger in arguments.triggers:
                yield from _fits(component.id, arguments, trigger)
                if isinstance(trigger, ScheduleTrigger):
                    yield from _schedule(component.id, trigger)


def _size(resource: str, arguments: FunctionArguments) -> Iterator[Finding]:
    wanted = asked(arguments)
    size = run_size(wanted)
    if size is None:
        hint = "at most 32Gi here"
        yield finding("GCP_LIMIT", resource, f'memory "{arguments.memory}" is more than Cloud Run has', hint)
    elif size.mib != wanted.mib:
        message = f'memory "{arguments.memory}" is {size.mib}Mi: Cloud Run starts no less'
        yield finding("GCP_ROUNDED", resource, message)


def _fits(resource: str, arguments: FunctionArguments, trigger: Trigger) -> Iterator[Finding]:
    scheduled = isinstance(trigger, ScheduleTrigger)
    service, most = ("Cloud Scheduler", SCHEDULED_S) if scheduled else ("Pub/Sub", PUSHED_S)
    if parse_seconds(arguments.timeout) <= most:
        return
    message = f'timeout "{arguments.timeout}" is longer than {service} waits before it starts it again'
    hint = f"at most {most // 60}m with this trigger; split the work into messages of a queue"
    if isinstance(trigger, QueueTrigger):
        hint = (
            f"at most {most // 60}m with this trigger; a Container with {trigger.resource}.consumer() may take longer"
        )
    yield finding("GCP_LIMIT", resource, message, hint)


def _schedule(resource: str, trigger: ScheduleTrigger) -> Iterator[Finding]:
    try:
        jobs = expressions(parse(trigger.cron))
    except ValueError as wrong:
        # What is no crontab line at all has a finding of its own.
        yield finding("GCP_SCHEDULE", resource, f'the schedule "{trigger.cron}": {wrong}', "write it as two schedules")
        return
    if len(jobs) > 1:
        message = f'the schedule "{trigger.cron}" starts it twice on days that match both of its fields for days'
        yield finding("GCP_SCHEDULE_TWICE", resource, message)
