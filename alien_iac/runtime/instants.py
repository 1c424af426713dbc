"""The instants of a schedule: one reading of a crontab line, for every platform that does not bring its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from alien_iac.errors import InvalidInput
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.runtime.logs import LOGGER, line

CATCH_UP = 100
"""How many instants are made up for after a time in which nothing ran: the newest ones."""


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


def missed(trigger: ScheduleTrigger, last: datetime, now: datetime) -> list[datetime]:
    """The instants after `last` and until `now` that are made up for, oldest first."""
    found = list(takewhile(lambda instant: instant <= now, instants(trigger, last)))
    if len(found) > CATCH_UP:
        LOGGER.warning(line("schedule missed", cron=trigger.cron, dropped=len(found) - CATCH_UP))
    return found[-CATCH_UP:]
