"""A timer on Azure wakes at every instant of its line, and at no other where Azure can say the line."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alien_iac.models.crontab import parse
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac_azure.crontab import job, timer

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca")


FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
START, MINUTES = datetime(2024, 1, 1, tzinfo=UTC), 7 * 365 * 24 * 60


def line_of(marks: list[int]) -> str:
    """Three marks a field, cut to its range; a multiple of four in the first of them is a star."""
    fields = []
    for number, (first, last) in enumerate(FIELDS):
        one, *more = marks[3 * number : 3 * number + 3]
        found = sorted({first + mark % (last - first + 1) for mark in (one, *more)})
        fields.append(",".join(map(str, found)) if one % 4 else "*")
    return " ".join(fields)


# Few draws of one kind: what takes long here is drawing, and it is to be quick on a busy machine too.
lines = st.lists(st.integers(0, 239), min_size=15, max_size=15).map(line_of)
moments = st.integers(0, MINUTES).map(lambda minutes: START + timedelta(minutes=minutes))


@settings(max_examples=60)
@given(lines, st.sampled_from(ZONES), moments)
def test_no_instant_is_missed(line: str, zone: str, moment: datetime) -> None:
    trigger = ScheduleTrigger(cron=line, timezone=zone)
    if parse(line).matches(moment.astimezone(ZoneInfo(zone))):
        assert parse(job(trigger)).matches(moment)


@settings(max_examples=60)
@given(lines, moments)
def test_none_comes_unasked_where_the_line_can_be_said(line: str, moment: datetime) -> None:
    if not parse(line).either:
        assert parse(job(ScheduleTrigger(cron=line))).matches(moment) == parse(line).matches(moment)


@pytest.mark.parametrize(
    ("line", "zone", "expected"),
    [
        ("0 3 * * 1", "UTC", "0 0 3 * * 1"),
        ("*/15 * * * *", "UTC", "0 0,15,30,45 * * * *"),
        ("0 3 * jan 7", "UTC", "0 0 3 * 1 0"),
        ("0 3 1 * 1", "UTC", "0 0 3 * * *"),
        ("0 3 * * 1", "Europe/Paris", "0 0 1,2 * * *"),
        ("0 3 * * 1", "Asia/Kolkata", "0 30 21 * * *"),
    ],
)
def test_a_timer_has_six_fields_in_utc(line: str, zone: str, expected: str) -> None:
    assert timer(ScheduleTrigger(cron=line, timezone=zone)) == expected
