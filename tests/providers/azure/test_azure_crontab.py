"""A timer on Azure wakes at every instant of its line, and at no other where Azure can say the line."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.models.crontab import parse
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac_azure.crontab import job, timer, wakes_more_often

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca")


def field(first: int, last: int) -> st.SearchStrategy[str]:
    numbers = st.frozensets(st.integers(first, last), min_size=1, max_size=4)
    return st.just("*") | numbers.map(lambda found: ",".join(str(number) for number in sorted(found)))


lines = st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7)).map(" ".join)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - see timezones


@given(lines, st.sampled_from(ZONES), moments)
def test_no_instant_is_missed(line: str, zone: str, moment: datetime) -> None:
    trigger = ScheduleTrigger(cron=line, timezone=zone)
    if parse(line).matches(moment.astimezone(ZoneInfo(zone))):
        assert parse(job(trigger)).matches(moment)


@given(lines, moments)
def test_none_comes_unasked_where_the_line_can_be_said(line: str, moment: datetime) -> None:
    trigger = ScheduleTrigger(cron=line)
    if not wakes_more_often(trigger):
        assert parse(job(trigger)).matches(moment) == parse(line).matches(moment)


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
