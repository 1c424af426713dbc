"""Schedules: crontab lines that mean an instant, in a time zone that exists."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from alien_iac.checks.catalogue import finding
from alien_iac.models.crontab import parse
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac.models.triggers import ScheduleTrigger

_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def check(stack: Stack) -> Iterator[Finding]:
    """Every schedule of every Function."""
    for component in stack.components:
        for trigger in component.triggers:
            if isinstance(trigger, ScheduleTrigger):
                yield from _one(component.id, trigger)


def _one(resource: str, trigger: ScheduleTrigger) -> Iterator[Finding]:
    if not _is_zone(trigger.timezone):
        message = f'"{trigger.timezone}" is not a time zone'
        yield finding("SCHEDULE_INVALID", resource, message, 'a name of the IANA database, such as "Europe/Paris"')
    if reason := _wrong(trigger.cron):
        message = f'"{trigger.cron}" is not a schedule: {reason}'
        yield finding("SCHEDULE_INVALID", resource, message, 'five fields, such as "0 3 * * 1"')


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or a folder of the database
        return False
    return bool(name)


def _wrong(cron: str) -> str:
    try:
        parse(cron)
        next(CronSim(cron, _SOME_DAY))
    except ValueError as wrong:
        return str(wrong)
    except CronSimError as wrong:
        return str(wrong).lower()
    except StopIteration:
        return "no day of the calendar matches it"
    return ""
