"""Instants of schedules on Azure: whatever wakes the Function, each of the line's own runs once, and no other."""

from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.runtime.azure.timers import due, last_of, newest
from alien_iac.runtime.instants import instants
from alien_iac_azure.crontab import job

BERLIN = ScheduleTrigger(cron="30 2 * * *", timezone="Europe/Berlin")
LINES = ["30 2 * * *", "0 3 * * 1", "*/15 * * * *", "0 0 1 * 1", "59 23 31 12 *"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]


def woken(trigger: ScheduleTrigger, since: datetime, until: datetime) -> list[datetime]:
    """What runs when Azure's timer wakes at each instant of its own line, a moment late."""
    ran, last = [], since
    for wake in CronSim(job(trigger), since):
        if wake > until:
            break
        now = wake + timedelta(milliseconds=700)
        ran += due(trigger, last, now)
        last = now
    return ran


def own(trigger: ScheduleTrigger, since: datetime, until: datetime) -> list[datetime]:
    found = []
    for instant in instants(trigger, since):
        if instant > until:
            break
        found.append(instant)
    return found


@settings(max_examples=25, deadline=None)
@given(
    line=st.sampled_from(LINES),
    zone=st.sampled_from(ZONES),
    minute=st.integers(0, 2 * 365 * 24 * 60),
)
def test_every_instant_of_the_line_runs_once(line: str, zone: str, minute: int) -> None:
    trigger = ScheduleTrigger(cron=line, timezone=zone)
    since = datetime(2025, 1, 1, 0, 0, 30, tzinfo=UTC) + timedelta(minutes=minute)
    until = since + timedelta(days=3)
    ran = woken(trigger, since, until)
    # The last ones may wait for the waking after them: an hour that a summer time leaves out has no timer of its own.
    assert ran == own(trigger, since, until)[: len(ran)]
    assert len(ran) >= len(own(trigger, since, until - timedelta(days=1, hours=1)))


def test_the_hour_that_summer_time_leaves_out_runs_at_the_next_waking() -> None:
    since, until = datetime(2026, 3, 28, 12, 0, 30, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC)
    assert woken(BERLIN, since, until) == own(BERLIN, since, until)


def test_a_first_waking_runs_its_own_instant_only() -> None:
    monday = datetime(2026, 11, 23, 3, 0, 0, 300, tzinfo=UTC)
    trigger = ScheduleTrigger(cron="0 3 * * 1")
    assert due(trigger, None, monday) == [monday.replace(microsecond=0)]
    assert due(trigger, None, monday - timedelta(days=1)) == []
    assert due(trigger, datetime(1, 1, 1, tzinfo=UTC), monday) == [monday.replace(microsecond=0)]


def test_what_was_missed_is_made_up_for() -> None:
    hourly, now = ScheduleTrigger(cron="0 * * * *"), datetime(2026, 11, 23, 3, 0, 1, tzinfo=UTC)
    assert len(due(hourly, now - timedelta(hours=5), now)) == 5


@pytest.mark.parametrize(
    ("late", "runs"),
    [(timedelta(seconds=-2), True), (timedelta(minutes=20), True), (timedelta(hours=1), False)],
)
def test_a_job_runs_the_instant_that_it_was_started_for(late: timedelta, *, runs: bool) -> None:
    instant = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    assert newest(BERLIN, instant + late) == (instant if runs else None)


@pytest.mark.parametrize("status", [None, {}, {"Last": ""}, {"Last": "never"}, "x"])
def test_a_timer_that_does_not_say_when_it_woke_before(status: object) -> None:
    assert last_of(status) is None


def test_a_timer_says_when_it_woke_before_with_seven_digits() -> None:
    assert last_of({"Last": "2026-11-16T03:00:00.0021318+00:00"}) == datetime(2026, 11, 16, 3, 0, 0, 2131, tzinfo=UTC)
    assert last_of({"Last": "2026-11-16T03:00:00"}) == datetime(2026, 11, 16, 3, tzinfo=UTC)
