"""What `alien logs`, `metrics` and `traces` share: their filters, and how items are shown."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from alien_iac import errors
from alien_iac.models.units import parse_seconds
from alien_iac.protocol.telemetry.answers import LogLine, Plain, Point, SpanLine, Trace

F = TypeVar("F", bound=Callable[..., Any])

SEVERITIES = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
_QUIET = frozenset({"alien.template", "code.file.path", "code.line.number", "code.function.name", "exception.type"})
_FRAMES = "alien.exception.frames"
_PAGE = 500
_DURATION = re.compile(r"\d+[smhd]")
_BAR = 24


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What was asked for on the command line."""

    workload: str | None
    since: str
    limit: int

    def query(self, deployment_id: str) -> dict[str, object]:
        """The query of the API. InvalidInput for an instant that is none."""
        begin = moment(self.since, datetime.now(UTC)).isoformat()
        most = min(self.limit, _PAGE)
        return {"deployment": deployment_id, "workload": self.workload, "since": begin, "limit": most}


def filters(command: F) -> F:
    """The options `workload`, `since` and `limit`."""
    workload = click.option("--workload", help="Of this workload only.")
    since = click.option("--since", default="1h", show_default=True, help="From when on: 15m, 2h, 3d, or an instant.")
    limit = click.option("--limit", "-n", default=100, show_default=True, type=click.IntRange(1), help="How many.")
    return workload(since(limit(command)))


def moment(text: str, now: datetime) -> datetime:
    """`15m` before now, or an ISO 8601 instant with its time zone. Raises InvalidInput."""
    try:
        if _DURATION.fullmatch(text):
            return now - timedelta(seconds=parse_seconds(text))
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise errors.InvalidInput(
            f'--since: "{text}" is no time', hint="write 15m, 2h, 3d or 2026-01-31T08:00Z"
        ) from error
    if found.tzinfo is None:
        raise errors.InvalidInput(f'--since: "{text}" has no time zone', hint=f"write {text}Z for UTC")
    return found


def log_text(line: LogLine) -> str:
    """One line; the frames of an exception below it."""
    told = line.text or f"({_place(line)})"
    kind = line.attributes.get("exception.type")
    more = " ".join(filter(None, [f"[{kind}]" if kind else "", *_others(line.attributes)]))
    frames = line.attributes.get(_FRAMES)
    below = [f"    {frame}" for frame in frames] if isinstance(frames, list) else []
    level = line.level or "-"
    return "\n".join([f"{_at(line.at)} {level:<5} {line.workload}: {told} {more}".rstrip(), *below])


def point_row(point: Point) -> tuple[object, ...]:
    """A row of the table of metrics."""
    value = point.value if point.value is not None else point.sum
    many = "" if point.count is None else point.count
    return (point.name, point.workload, " ".join(_others(point.attributes)), _number(value), many, _at(point.at))


def newest(points: list[Point]) -> list[Point]:
    """The newest point of each series."""
    found: dict[object, Point] = {}
    for point in points:
        key = (point.deployment_id, point.workload, point.name, tuple(sorted(map(str, point.attributes.items()))))
        found.setdefault(key, point)
    return sorted(found.values(), key=lambda point: (point.name, point.workload))


def waterfall(trace: Trace) -> str:
    """The spans of a trace as a tree, each with when it ran."""
    begin = min(span.at for span in trace.spans)
    total = max((span.at - begin) / timedelta(milliseconds=1) + span.ms for span in trace.spans) or 1.0
    known = {span.span_id for span in trace.spans}
    lines = [f"trace {trace.trace_id}"]

    def show(parent: str | None, depth: int) -> None:
        for span in trace.spans:
            above = span.parent_id if span.parent_id in known else None
            if above == parent and span.span_id != parent:
                lines.append(_span(span, depth, (span.at - begin) / timedelta(milliseconds=1), total))
                show(span.span_id, depth + 1)

    show(None, 0)
    return "\n".join(lines)


def _span(span: SpanLine, depth: int, offset: float, total: float) -> str:
    start = min(int(offset / total * _BAR), _BAR - 1)
    width = min(max(1, round(span.ms / total * _BAR)), _BAR - start)
    bar = ("." * start + "#" * width).ljust(_BAR, ".")
    failed = f"  failed {span.message}".rstrip() if span.failed else ""
    outcome = span.attributes.get("alien.outcome", "")
    told = f"{'  ' * depth}{span.name} ({span.workload})"
    return f"{bar} {span.ms:9.1f} ms  {told}{failed}{f' {outcome}' if span.failed and outcome else ''}"


def _others(attributes: dict[str, Plain]) -> list[str]:
    return [f"{key}={value}" for key, value in attributes.items() if key not in _QUIET and key != _FRAMES]


def _place(line: LogLine) -> str:
    file, number = line.attributes.get("code.file.path"), line.attributes.get("code.line.number")
    return f"{file}:{number}" if file else "no text"


def _at(at: datetime) -> str:
    return at.astimezone().isoformat(sep=" ", timespec="milliseconds")[:23]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
