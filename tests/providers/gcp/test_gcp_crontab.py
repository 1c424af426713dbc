"""A line means on Cloud Scheduler the instants that it means everywhere, one field for days at a time."""

from datetime import datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from alien_iac.models.crontab import Crontab, parse
from alien_iac_gcp.crontab import expressions


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
    assert any(parse(each).matches(moment) for each in said) == crontab.matches(moment)
    assert all("*" in (each.split()[2], each.split()[4]) for each in said)


def test_names_and_sunday_are_numbers_that_cloud_scheduler_knows() -> None:
    assert expressions(parse("0 3 * jan 7")) == ("0 3 * 1 0",)
