"""Telemetry as the control plane's API shows it: GET under `/v1/telemetry`."""

from typing import Literal

from pydantic import AwareDatetime, Field

from alien_iac.protocol.wire import Open

Plain = str | bool | int | float | list[str]


class Line(Open):
    """What every item has. `number` grows with each that the control plane received."""

    number: int
    deployment_id: str
    customer: str
    workload: str
    release: str = ""
    at: AwareDatetime
    """By the sender's clock."""
    attributes: dict[str, Plain] = {}


class LogLine(Line):
    """One log record. `text` is its template below `full`, or empty: `attributes` say where it was logged."""

    severity: int
    level: str = ""
    text: str = ""
    scope: str = ""
    trace_id: str | None = None
    span_id: str | None = None


class Point(Line):
    """One point of one metric."""

    name: str
    unit: str = ""
    kind: Literal["gauge", "sum", "histogram", "exponential_histogram", "summary"]
    value: float | None = None
    count: int | None = None
    sum: float | None = None
    bounds: list[float] = []
    buckets: list[int] = []


class SpanEvent(Open):
    """Something that happened in a span."""

    name: str
    at: AwareDatetime
    attributes: dict[str, Plain] = {}


class SpanLine(Line):
    """One span. `ms`: how long it took."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str | None = None
    ms: float
    failed: bool = False
    message: str = ""
    events: list[SpanEvent] = []


class TraceSummary(Open):
    """One trace, by what is known of it."""

    number: int
    """Of its newest span."""
    trace_id: str
    deployment_id: str
    customer: str
    name: str
    """Of its first span."""
    at: AwareDatetime
    ms: float
    spans: int
    failed: int


class Trace(Open):
    """All spans of one trace, in the order in which they began."""

    trace_id: str
    spans: tuple[SpanLine, ...]


class Followed(Open):
    """Log lines after a number, oldest first; `after` is where to go on."""

    items: tuple[LogLine, ...]
    after: int


class TelemetryState(Open):
    """How it stands with what the control plane keeps and forwards."""

    forwards: bool
    waiting: int
    """Items that wait to be forwarded."""
    lost: dict[str, int] = Field(default={})
    """Items that were not kept or forwarded, by reason."""
