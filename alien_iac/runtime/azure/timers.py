"""Which instants of a schedule a timer's waking is for: Azure's timers wake at those, and at some more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.runtime.instants import instants, missed

EARLY = timedelta(seconds=5)
"""A timer may wake so much before its instant."""
USUAL = timedelta(minutes=1)
"""How far back a first waking looks: it knows of none before it."""
LATE = timedelta(minutes=29)
"""How late a job's container may start. Where a timer wakes more often than the line says, it is half an hour apart."""


def due(trigger: ScheduleTrigger, last: datetime | None, now: datetime) -> list[datetime]:
    """The instants since the last waking: none where this is one too many, several where some were missed."""
    until = now + EARLY
    since = last + EARLY if last and last.year > 1 else until - USUAL
    return missed(trigger, min(since, until), until)


def newest(trigger: ScheduleTrigger, now: datetime) -> datetime | None:
    """The instant that a job was started for; None where it was started for none."""
    found = None
    for instant in instants(trigger, now - LATE):
        if instant > now + EARLY:
            break
        found = instant
    return found


def last_of(status: object) -> datetime | None:
    """When a timer woke before, by what the Functions host says of it; None where it does not know."""
    told = status.get("Last") if isinstance(status, dict) else None
    try:
        last = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return last if last.tzinfo else last.replace(tzinfo=UTC)
