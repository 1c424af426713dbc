"""Schedules as Azure says them: in UTC only, and on days that match both of a line's fields for days.

Where that is not what a line means, the timer wakes more often, and the adapter tells by the line itself whether the
instant is one of its own; so no instant is missed, and none comes twice.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from alien_iac.models.crontab import Crontab, parse
from alien_iac.models.triggers import ScheduleTrigger

_DAY_MIN = 24 * 60
_FROM, _UNTIL = datetime(2024, 1, 1, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC)
_SAMPLE = timedelta(days=5)
"""Shorter than any zone keeps a summer time."""
_EVERY = "*"


def timer(trigger: ScheduleTrigger) -> str:
    """Six fields, the first one seconds, for a timer of Azure Functions."""
    return f"0 {job(trigger)}"


def job(trigger: ScheduleTrigger) -> str:
    """Five fields, for a job of Container Apps."""
    crontab = parse(trigger.cron)
    shifts = offsets(trigger.timezone)
    if shifts == {0}:
        return _fields(crontab)
    moments = {
        (hour * 60 + minute - shift) % _DAY_MIN
        for hour in crontab.hours
        for minute in crontab.minutes
        for shift in shifts
    }
    minutes, hours = {moment % 60 for moment in moments}, {moment // 60 for moment in moments}
    return f"{_set(minutes, 60)} {_set(hours, 24)} {_EVERY} {_EVERY} {_EVERY}"


def offsets(timezone: str) -> set[int]:
    """How far the zone's clocks are ahead of UTC, in minutes, in the years around now."""
    zone, found, moment = ZoneInfo(timezone), set(), _FROM
    while moment < _UNTIL:
        ahead = moment.astimezone(zone).utcoffset() or timedelta()
        found.add(int(ahead.total_seconds()) // 60)
        moment += _SAMPLE
    return found


def _fields(crontab: Crontab) -> str:
    days = _EVERY if crontab.either else _set(crontab.days, 31)
    weekdays = _EVERY if crontab.either else _set(crontab.weekdays, 7)
    times = f"{_set(crontab.minutes, 60)} {_set(crontab.hours, 24)}"
    return f"{times} {days} {_set(crontab.months, 12)} {weekdays}"


def _set(numbers: set[int] | frozenset[int], size: int) -> str:
    return _EVERY if len(numbers) == size else ",".join(str(number) for number in sorted(numbers))
