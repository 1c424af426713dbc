"""Crontab lines as sets of numbers, so that a schedule means the same instants on every platform.

The dialect is what every platform can say: numbers, names, lists, ranges and steps. `L`, `W` and `#` are not in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class _Field:
    name: str
    first: int
    last: int
    words: Mapping[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, {word: number for number, word in enumerate(_MONTHS, 1)}),
    _Field("day of the week", 0, 7, {word: number for number, word in enumerate(_WEEKDAYS)}),
)
SUNDAY, SUNDAY_TOO = 0, 7


@dataclass(frozen=True, kw_only=True)
class Days:
    """Days that match both: those of the month, and those of the week (0 is Sunday). None is any."""

    month: frozenset[int] | None
    week: frozenset[int] | None


@dataclass(frozen=True, kw_only=True)
class Crontab:
    """A line of five fields."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either: bool
    """Whether one of the two fields for days is enough: so it is where neither starts with a star."""

    @property
    def day_rules(self) -> tuple[Days, ...]:
        """The days, as rules of which at least one has to match; on some days both of two may."""
        month = self.days if len(self.days) < _size(_FIELDS[2]) else None
        week = self.weekdays if len(self.weekdays) < len(_WEEKDAYS) else None
        if not self.either:
            return (Days(month=month, week=week),)
        if month is None or week is None:
            return (Days(month=None, week=None),)
        return (Days(month=month, week=None), Days(month=None, week=week))

    def matches(self, moment: datetime) -> bool:
        """Whether the minute is one of its instants, on the clock of its time zone."""
        weekday = moment.isoweekday() % len(_WEEKDAYS)
        return (
            moment.minute in self.minutes
            and moment.hour in self.hours
            and moment.month in self.months
            and any(
                (rule.month is None or moment.day in rule.month) and (rule.week is None or weekday in rule.week)
                for rule in self.day_rules
            )
        )


def parse(line: str) -> Crontab:
    """The line's fields. ValueError, with the field and what is wrong with it."""
    texts = line.upper().split()
    if len(texts) != len(_FIELDS):
        raise ValueError(f"it has {len(texts)} fields")
    minutes, hours, days, months, weekdays = (_set(field, text) for field, text in zip(_FIELDS, texts, strict=True))
    return Crontab(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(SUNDAY if day == SUNDAY_TOO else day for day in weekdays),
        either=not (texts[2].startswith("*") or texts[4].startswith("*")),
    )


def _set(field: _Field, text: str) -> frozenset[int]:
    return frozenset(number for item in text.split(",") for number in _item(field, item))


def _item(field: _Field, text: str) -> range:
    span, slash, step_text = text.partition("/")
    step = _step(field, step_text) if slash else 1
    if span == "*":
        return range(field.first, field.last + 1, step)
    start_text, dash, end_text = span.partition("-")
    start = _number(field, start_text)
    end = _number(field, end_text) if dash else start
    if end < start:
        raise ValueError(f'the {field.name} "{text}" ends before it starts')
    # A step from one number goes on to the last, and a range of one number is one number: as `local` reads it.
    return range(start, (field.last if slash and end == start else end) + 1, step)


def _step(field: _Field, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError(f'the {field.name} has the step "{text}", and a step is a whole number from 1')
    return int(text)


def _number(field: _Field, text: str) -> int:
    if text in field.words:
        return field.words[text]
    if text.isascii() and text.isdigit() and field.first <= int(text) <= field.last:
        return int(text)
    raise ValueError(f'the {field.name} "{text}" is not a number from {field.first} to {field.last}')


def _size(field: _Field) -> int:
    return field.last - field.first + 1
