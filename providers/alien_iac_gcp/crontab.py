"""Crontab lines as Cloud Scheduler says them: weekdays from SUN=0, and a star in one of the two fields for days.

What a line means where both fields are set is not left to it: such a line becomes one job for each field.
"""

from collections.abc import Iterable

from alien_iac.models.crontab import Crontab, Days

_MINUTES, _HOURS, _MONTHS = 60, 24, 12


def expressions(crontab: Crontab) -> tuple[str, ...]:
    """The expressions whose instants, together, are those of the line. ValueError where there are none."""
    return tuple(_expression(crontab, rule) for rule in crontab.day_rules)


def _expression(crontab: Crontab, days: Days) -> str:
    if days.month is not None and days.week is not None:
        raise ValueError("Cloud Scheduler has no day that has to match both the month's and the week's field")
    fields = (
        _field(crontab.minutes, _MINUTES),
        _field(crontab.hours, _HOURS),
        "*" if days.month is None else _numbers(days.month),
        _field(crontab.months, _MONTHS),
        "*" if days.week is None else _numbers(days.week),
    )
    return " ".join(fields)


def _field(numbers: frozenset[int], size: int) -> str:
    return "*" if len(numbers) == size else _numbers(numbers)


def _numbers(numbers: Iterable[int]) -> str:
    return ",".join(str(number) for number in sorted(numbers))
