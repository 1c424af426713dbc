"""A trace as a waterfall: its spans as a tree, each with where its bar begins and how long it is. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alien_iac.protocol.telemetry.answers import SpanLine

WIDTH = 1_000
_DEEPEST = 8
"""Levels that are indented; what lies deeper stands below them."""
_LEAST = 4
"""A bar shorter than this could not be seen."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One span. `x` and `width` in thousandths of the whole."""

    span: SpanLine
    depth: int
    x: int
    width: int
    offset_ms: float


@dataclass(frozen=True, kw_only=True)
class Waterfall:
    """A whole trace."""

    bars: tuple[Bar, ...]
    at: datetime
    ms: float
    failed: int

    @property
    def name(self) -> str:
        return self.bars[0].span.name


def draw(spans: Sequence[SpanLine]) -> Waterfall:
    """The spans of one trace; there is at least one."""
    begun = min(span.at for span in spans)
    ms = max(_offset(span, begun) + span.ms for span in spans)
    bars = tuple(_bar(span, depth, begun, ms) for span, depth in _tree(spans))
    return Waterfall(bars=bars, at=begun, ms=ms, failed=sum(span.failed for span in spans))


def _bar(span: SpanLine, depth: int, begun: datetime, ms: float) -> Bar:
    offset = _offset(span, begun)
    width = max(_LEAST, _share(span.ms, ms))
    x = min(_share(offset, ms), WIDTH - _LEAST)
    return Bar(span=span, depth=min(depth, _DEEPEST), x=x, width=min(width, WIDTH - x), offset_ms=offset)


def _share(part: float, whole: float) -> int:
    return round(part / whole * WIDTH) if whole else 0


def _offset(span: SpanLine, begun: datetime) -> float:
    return (span.at - begun) / timedelta(milliseconds=1)


def _tree(spans: Sequence[SpanLine]) -> Iterator[tuple[SpanLine, int]]:
    """Parents before their children, in the order in which they began. A span whose parent is not here is a root.

    Spans that name each other as parents, which only a broken sender does, come last.
    """
    known = {span.span_id for span in spans}
    children: dict[str | None, list[SpanLine]] = {}
    for span in sorted(spans, key=lambda span: span.at):
        parent = span.parent_id if span.parent_id in known else None
        children.setdefault(parent, []).append(span)
    seen: set[int] = set()
    for span, depth in _walk(children):
        seen.add(id(span))
        yield span, depth
    yield from ((span, 0) for span in spans if id(span) not in seen)


def _walk(children: Mapping[str | None, Sequence[SpanLine]]) -> Iterator[tuple[SpanLine, int]]:
    left = [(span, 0) for span in reversed(children.get(None, ()))]
    entered: set[str] = set()
    while left:
        span, depth = left.pop()
        yield span, depth
        if span.span_id not in entered:  # of two with one id, the first has the children
            entered.add(span.span_id)
            left += [(child, depth + 1) for child in reversed(children.get(span.span_id, ()))]
