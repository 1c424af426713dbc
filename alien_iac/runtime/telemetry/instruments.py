"""Counters and histograms. What they count survives a restart where the workload has a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alien_iac.runtime.telemetry.active import is_constant, sink

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 60.0, 300.0)
"""Upper bounds of a histogram of durations."""


@dataclass(frozen=True)
class Counter:
    """A number that only grows."""

    name: str
    unit: str = ""

    def add(self, value: float = 1, attributes: Mapping[str, object] | None = None) -> None:
        """Count more. ValueError for less than nothing."""
        if value < 0:
            raise ValueError(f"{self.name}: a counter only grows; it was given {value}")
        if taker := sink():
            taker.number({"name": self.name, "unit": self.unit, "kind": "sum"}, value, attributes or {})


@dataclass(frozen=True)
class Histogram:
    """How often a value was how large."""

    name: str
    unit: str = "s"
    bounds: tuple[float, ...] = SECONDS

    def record(self, value: float, attributes: Mapping[str, object] | None = None) -> None:
        """Note one value."""
        if taker := sink():
            told = {"name": self.name, "unit": self.unit, "kind": "histogram", "bounds": self.bounds}
            taker.number(told, value, attributes or {})


def counter(name: str, unit: str = "") -> Counter:
    """A counter. Its name is a constant of the code that calls this."""
    return Counter(name if is_constant(name, 1) else "", unit)


def histogram(name: str, unit: str = "s", bounds: tuple[float, ...] = SECONDS) -> Histogram:
    """A histogram with these upper bounds. Its name is a constant of the code that calls this."""
    return Histogram(name if is_constant(name, 1) else "", unit, bounds)
