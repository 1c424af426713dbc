import itertools
from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given, settings
from hypothesis import strategies as st

from alien_iac.models.crontab import Days, parse

NAMES = {3: ["JAN", "jun", "Dec"], 4: ["SUN", "mon", "Fri"]}
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


@st.composite
def items(draw: st.DrawFn, place: int) -> str:
    first, last = BOUNDS[place]
    number = st.integers(first, last)
    start, end = sorted((draw(number), draw(number)))
    step = draw(st.integers(1, 12))
    forms = ["*", f"*/{step}", f"{start}", f"{start}-{end}", f"{start}-{end}/{step}", f"{start}/{step}"]
    return draw(st.sampled_from([*forms, *NAMES.get(place, [])]))


@st.composite
def lines(draw: st.DrawFn) -> str:
    fields = (",".join(draw(st.lists(items(place), min_size=1, max_size=3))) for place in range(5))
    return " ".join(fields)


@given(lines(), st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the zone is given
@settings(deadline=None)
def test_it_means_the_instants_of_the_local_schedules(line: str, start: datetime) -> None:
    begin = start.replace(second=0, microsecond=0)
    crontab = parse(line)
    try:
        instants = list(itertools.islice(CronSim(line, begin), 20))
    except CronSimError:
        return  # a day that no month has: a finding of its own
    assert all(crontab.matches(instant) for instant in instants)
    minutes = (begin + timedelta(minutes=number) for number in range(1, 3 * 24 * 60))
    matching = list(itertools.islice((minute for minute in minutes if crontab.matches(minute)), 20))
    assert matching == instants[: len(matching)]


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ("0 3 * * *", [(None, None)]),
        ("0 3 1 * *", [({1}, None)]),
        ("0 3 * * MON", [(None, {1})]),
        ("0 3 * * 7", [(None, {0})]),
        ("0 3 * * 5-7", [(None, {5, 6, 0})]),
        ("0 3 1,15 * 1", [({1, 15}, None), (None, {1})]),
        ("0 3 1-31 * 1", [(None, None)]),
        ("0 3 */16 * 1", [({1, 17}, {1})]),
        ("0 3 1 * */3", [({1}, {0, 3, 6})]),
        ("0 3 * * 0-6", [(None, None)]),
    ],
)
def test_days_are_rules_of_which_one_has_to_match(
    line: str, rules: list[tuple[set[int] | None, set[int] | None]]
) -> None:
    expected = [
        Days(month=None if month is None else frozenset(month), week=None if week is None else frozenset(week))
        for month, week in rules
    ]
    assert list(parse(line).day_rules) == expected


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("* * * *", "it has 4 fields"),
        ("60 * * * *", 'the minute "60" is not a number from 0 to 59'),
        ("0 3 L * *", 'the day of the month "L" is not a number from 1 to 31'),
        ("0 3 * * 5#2", 'the day of the week "5#2" is not a number from 0 to 7'),
        ("0 9-7 * * *", 'the hour "9-7" ends before it starts'),
        ("*/0 * * * *", 'the minute has the step "0", and a step is a whole number from 1'),
        ("0 3 * SMARCH *", 'the month "SMARCH" is not a number from 1 to 12'),
        ("0 ٣ * * *", 'the hour "٣" is not a number from 0 to 23'),
        (", * * * *", 'the minute "" is not a number from 0 to 59'),
    ],
)
def test_what_is_wrong_is_told(line: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong.replace("*", r"\*")):
        parse(line)
