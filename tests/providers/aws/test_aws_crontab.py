"""Schedules mean on EventBridge the instants that they mean everywhere."""

from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alien_iac.models.crontab import Crontab, Days, parse
from alien_iac_aws.crontab import MAX_LENGTH, expressions

FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7))


def numbers(text: str, place: int) -> set[int]:
    """A field of EventBridge's, read anew by its own rules."""
    first, last = FIELDS[place]
    if text in {"*", "?"}:
        return set(range(first, last + 1))
    found: set[int] = set()
    for part in text.split(","):
        start, _, end = part.partition("-")
        found |= set(range(int(start), int(end or start) + 1))
    assert found <= set(range(first, last + 1))
    return found


def fires(expression: str, moment: datetime) -> bool:
    assert expression.startswith("cron(")
    assert expression.endswith(" *)")
    minute, hour, day, month, week, _ = expression.removeprefix("cron(").removesuffix(")").split()
    assert (day == "?") != (week == "?")
    weekday = moment.isoweekday() % 7 + 1  # SUN=1
    places = (minute, hour, day, month, week)
    now = (moment.minute, moment.hour, moment.day, moment.month, weekday)
    return all(value in numbers(text, place) for place, (text, value) in enumerate(zip(places, now, strict=True)))


def subsets(first: int, last: int) -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.integers(first, last), min_size=1)


crontabs = st.builds(
    Crontab,
    minutes=subsets(0, 59),
    hours=subsets(0, 23),
    days=subsets(1, 31) | st.just(frozenset(range(1, 32))),
    months=subsets(1, 12),
    weekdays=subsets(0, 6) | st.just(frozenset(range(7))),
    either=st.booleans(),
)


@given(crontabs, st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - on the clock of any zone
def test_the_expressions_fire_at_the_instants_of_the_line(crontab: Crontab, moment: datetime) -> None:
    try:
        said = expressions(crontab)
    except ValueError:
        assume(condition=False)
    assert all(len(expression) <= MAX_LENGTH for expression in said)
    for minutes in (0, 1, 60, 24 * 60, 7 * 24 * 60):
        instant = moment + timedelta(minutes=minutes)
        assert any(fires(each, instant) for each in said) == crontab.matches(instant)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 3 * * 1", ("cron(0 3 ? * 2 *)",)),
        ("0 3 * * SUN", ("cron(0 3 ? * 1 *)",)),
        ("0 3 * * 7", ("cron(0 3 ? * 1 *)",)),
        ("*/15 * * * *", ("cron(0,15,30,45 * * * ? *)",)),
        ("0 9-17 * * MON-FRI", ("cron(0 9-17 ? * 2-6 *)",)),
        ("30 6 1,15 * *", ("cron(30 6 1,15 * ? *)",)),
        ("0 3 1 * 5", ("cron(0 3 1 * ? *)", "cron(0 3 ? * 6 *)")),
    ],
)
def test_lines_that_are_often_got_wrong(line: str, said: tuple[str, ...]) -> None:
    assert expressions(parse(line)) == said


def test_a_day_that_has_to_match_both_fields_cannot_be_said() -> None:
    assert parse("0 3 */2 * 1").day_rules == (Days(month=frozenset(range(1, 32, 2)), week=frozenset({1})),)
    with pytest.raises(ValueError, match="has to match both"):
        expressions(parse("0 3 */2 * 1"))
