"""Crontab lines as EventBridge Scheduler says them: weekdays from SUN=1, and a `?` for the day that does not count."""

from collections.abc import Iterable

from alien_iac.models.crontab import Crontab, Days

MAX_LENGTH = 256
_ANY, _NONE = "*", "?"
_MINUTES, _HOURS, _MONTHS = 60, 24, 12


def expressions(crontab: Crontab) -> tuple[str, ...]:
    """The expressions whose instants, together, are those of the line. ValueError where there are none."""
    found = tuple(_expression(crontab, rule) for rule in crontab.day_rules)
    if any(len(each) > MAX_LENGTH for each in found):
        raise ValueError(f"said to EventBridge it has more than {MAX_LENGTH} characters")
    return found


def _expression(crontab: Crontab, days: Days) -> str:
    if days.month is not None and days.week is not None:
        raise ValueError("EventBridge has no day that has to match both the month's and the week's field")
    month = _NONE if days.week is not None else _ANY if days.month is None else _numbers(days.month)
    week = _NONE if days.week is None else _numbers(day + 1 for day in days.week)
    minutes, hours = _field(crontab.minutes, _MINUTES), _field(crontab.hours, _HOURS)
    return f"cron({minutes} {hours} {month} {_field(crontab.months, _MONTHS)} {week} *)"


def _field(numbers: frozenset[int], size: int) -> str:
    return _ANY if len(numbers) == size else _numbers(numbers)


def _numbers(numbers: Iterable[int]) -> str:
    """Numbers in their order, with three and more in a row as a range."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(_run(run) for run in runs)


def _run(run: list[int]) -> str:
    return f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(str(number) for number in run)  # noqa: PLR2004 - "1,2" is as short as "1-2"
