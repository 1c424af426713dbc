"""Metrics as lines: series, their paths, and a scale that a person can read. Pure; the template draws."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alien_iac.protocol.telemetry.answers import Point

WIDTH, HEIGHT = 600, 120
MOST_PLOTS = 30
MOST_SERIES = 6
"""Lines of one plot that can be told apart."""
_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line. `number` chooses its colour and dashes."""

    number: int
    label: str
    path: str
    last: float
    points: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One metric. `left_out`: series that are not drawn."""

    name: str
    unit: str
    kind: str
    low: float
    high: float
    series: tuple[Series, ...]
    left_out: int

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


def draw(points: Iterable[Point], since: datetime, until: datetime) -> tuple[Plot, ...]:
    """A plot of each metric, by name."""
    by_name: dict[str, list[Point]] = {}
    for point in points:
        by_name.setdefault(point.name, []).append(point)
    return tuple(_plot(by_name[name], since, until) for name in sorted(by_name)[:MOST_PLOTS])


def _plot(points: Sequence[Point], since: datetime, until: datetime) -> Plot:
    lines = {label: found for label, found in _lines(points).items() if found}
    shown = dict(sorted(lines.items())[:MOST_SERIES])
    values = [value for line in shown.values() for _, value in line]
    low, high = scale(values)
    first = points[0]

    def place(at: datetime, value: float) -> tuple[float, float]:
        x = (at - since) / (until - since) * WIDTH
        return round(min(max(x, 0), WIDTH), 1), round(HEIGHT - (value - low) / (high - low) * HEIGHT, 1)

    series = tuple(
        Series(
            number=number,
            label=label,
            path=_path([place(at, value) for at, value in line]),
            last=line[-1][1],
            points=tuple(line[-20:]),
        )
        for number, (label, line) in enumerate(shown.items())
    )
    return Plot(
        name=first.name,
        unit=first.unit if first.unit != "1" else "",
        kind=_kind(first),
        low=low,
        high=high,
        series=series,
        left_out=len(lines) - len(shown),
    )


def _kind(point: Point) -> str:
    if point.value is None:
        return "mean"
    return {"sum": "running total"}.get(point.kind, point.kind)


def _lines(points: Sequence[Point]) -> dict[str, list[tuple[datetime, float]]]:
    """The points of each series in the order of their times."""
    lines: dict[str, list[tuple[datetime, float]]] = {}
    for point in points:
        value = _value(point)
        if value is not None:
            lines.setdefault(_label(point), []).append((point.at, value))
    return {label: sorted(line) for label, line in lines.items()}


def _value(point: Point) -> float | None:
    if point.value is not None:
        return point.value
    return point.sum / point.count if point.sum is not None and point.count else None


def _label(point: Point) -> str:
    told: Mapping[str, object] = point.attributes
    facts = " ".join(f"{key}={told[key]}" for key in sorted(told))
    return " ".join(part for part in (point.workload, facts) if part) or point.name


def _path(places: Sequence[tuple[float, float]]) -> str:
    if len(places) == 1:
        x, y = places[0]
        return f"M{max(x - 4, 0):g} {y:g}h8"  # one point alone would be nothing
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in places)


def scale(values: Sequence[float]) -> tuple[float, float]:
    """The ends of the axis: round numbers around the values and zero."""
    low, high = min([0.0, *values]), max([0.0, *values])
    if low == high:
        return 0.0, 1.0
    return 0.0 - _rounded(-low), _rounded(high)


def _rounded(value: float) -> float:
    """The next round number that is not below."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in _STEPS if step * power >= value), 10 * power)
