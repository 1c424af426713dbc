"""The customer's four levels, and the names that sender and receiver of telemetry agree on."""

from typing import Literal, get_args

Level = Literal["off", "metrics", "events", "full"]
Signal = Literal["logs", "metrics", "traces"]

LEVELS: tuple[Level, ...] = get_args(Level)
"""Strictest first."""
SIGNALS: tuple[Signal, ...] = get_args(Signal)
DEFAULT: Level = "events"

LEVEL_HEADER = "alien-telemetry-level"
"""Of every answer to telemetry: the level that holds now."""
BATCH_HEADER = "alien-batch"
"""The batch's own id, so that one that is sent again is taken once."""
WORKLOAD_HEADER = "alien-workload"
"""The workload that a token belongs to, for the agent."""

TEMPLATE = "alien.template"
"""Attribute of a log record or a span: its message or name as it stands in the code, with nothing filled in."""
FRAMES = "alien.exception.frames"
"""Attribute: where an exception came through, outermost first, as `file.py:12 function`."""
LOST = "alien.telemetry.lost"
"""Metric: items that were not delivered, by `alien.signal`, `alien.reason` and `alien.place`."""


def strictest(*levels: Level) -> Level:
    """The one that lets the least through."""
    return min(levels, key=LEVELS.index)


def carries(level: Level, signal: Signal) -> bool:
    """Whether anything of this signal leaves at a level."""
    return LEVELS.index(level) >= (LEVELS.index("metrics") if signal == "metrics" else LEVELS.index("events"))


def parse(text: str | None) -> Level | None:
    """The level that a header or column names; None for anything else."""
    return next((level for level in LEVELS if level == text), None)
