"""Telemetry in: read within limits, screened at the customer's level, stamped by the caller's token, made into rows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from alien_iac.protocol.telemetry import otlp, stamp
from alien_iac.protocol.telemetry.keys import allowed
from alien_iac.protocol.telemetry.levels import Level, Signal
from alien_iac.protocol.telemetry.screen import screen
from alien_iac.protocol.telemetry.text import plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
_KINDS = ("internal", "internal", "server", "client", "producer", "consumer")
_FAILED = 2
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Whose telemetry it is, by the token and the database; nothing of it is the sender's own claim."""

    deployment_id: str
    customer: str
    platform: str
    release: str
    level: Level
    target: str | None = None
    """The only workload that the token is for."""
    by_agent: bool = False
    """Whether it comes from the agent, which knows the workload by its own token."""

    def facts(self, workload: str) -> dict[str, str]:
        """What is written into a resource."""
        told = {
            stamp.DEPLOYMENT: self.deployment_id,
            stamp.CUSTOMER: self.customer,
            stamp.PLATFORM: self.platform,
            stamp.RELEASE: self.release,
            stamp.WORKLOAD: workload,
        }
        return {**told, **({stamp.SERVICE: workload} if workload else {})}


@dataclass(frozen=True, kw_only=True)
class Export:
    """A request as it came."""

    signal: Signal
    body: bytes
    content_type: str
    encoding: str = ""


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as it is kept. `forward` is it once more, in protobuf, as another receiver gets it."""

    rows: list[Row]
    forward: bytes
    items: int
    refused: int


def receive(export: Export, sender: Sender, now: datetime) -> Received:
    """What of a request is kept. InvalidInput, TooLarge."""
    signal = export.signal
    request = otlp.read(signal, export.body, export.content_type, export.encoding)
    claimed = [_workload(group, sender) for group in otlp.groups(request)]
    screened = screen(signal, request, sender.level)
    groups = otlp.groups(screened.request)
    workloads = claimed if groups else []
    stamp.stamp(screened.request, [sender.facts(workload) for workload in workloads])
    rows = [
        {**row, "deployment_id": sender.deployment_id, "signal": signal, "workload": workload, "received_at": now}
        for group, workload in zip(groups, workloads, strict=True)
        for row in _ROWS[signal](group, now)
    ]
    common = {"customer": sender.customer, "release": sender.release}
    for row in rows:
        row["body"] |= common
    return Received(rows=rows, forward=otlp.written(screened.request), items=screened.kept, refused=screened.refused)


def _workload(group: Any, sender: Sender) -> str:
    """The agent's word where it is the agent's; else the token's workload, or the name that the sender gives itself."""
    attributes = group.resource.attributes
    if sender.by_agent:
        return stamp.fact(attributes, stamp.WORKLOAD)[:200]
    return sender.target or _service(stamp.fact(attributes, stamp.SERVICE))


def _service(name: str) -> str:
    found = allowed(stamp.SERVICE, name)
    return found if isinstance(found, str) else ""


def _logs(group: Any, now: datetime) -> Iterator[Row]:
    for scope in group.scope_logs:
        for record in scope.log_records:
            text = plain(record.body)
            body: Row = {
                "attributes": _attributes(record.attributes),
                "level": record.severity_text,
                "text": text if isinstance(text, str) else str(text or ""),
                "scope": scope.scope.name,
                "spanId": record.span_id.hex() or None,
            }
            yield {
                "at": _instant(record.time_unix_nano or record.observed_time_unix_nano, now),
                "name": body["attributes"].get("alien.template", ""),
                "severity": record.severity_number,
                "trace_id": record.trace_id.hex() or None,
                "body": body,
            }


def _spans(group: Any, now: datetime) -> Iterator[Row]:
    for scope in group.scope_spans:
        for span in scope.spans:
            body: Row = {
                "attributes": _attributes(span.attributes),
                "kind": _KINDS[span.kind] if span.kind < len(_KINDS) else "internal",
                "spanId": span.span_id.hex(),
                "parentId": span.parent_span_id.hex() or None,
                "ms": max(0, span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
                "failed": span.status.code == _FAILED,
                "message": span.status.message,
                "events": [
                    {
                        "name": event.name,
                        "at": _instant(event.time_unix_nano, now).isoformat(),
                        "attributes": _attributes(event.attributes),
                    }
                    for event in span.events
                ],
            }
            yield {
                "at": _instant(span.start_time_unix_nano, now),
                "name": span.name,
                "severity": 0,
                "trace_id": span.trace_id.hex(),
                "body": body,
            }


def _points(group: Any, now: datetime) -> Iterator[Row]:
    for scope in group.scope_metrics:
        for metric in scope.metrics:
            kind = metric.WhichOneof("data")
            for point in getattr(metric, kind).data_points:
                yield {
                    "at": _instant(point.time_unix_nano, now),
                    "name": metric.name,
                    "severity": 0,
                    "trace_id": None,
                    "body": {
                        "attributes": _attributes(point.attributes),
                        "unit": metric.unit,
                        "kind": kind,
                        **_numbers(kind, point),
                    },
                }


_ROWS = {"logs": _logs, "traces": _spans, "metrics": _points}


def _numbers(kind: str, point: Any) -> Row:
    if kind in ("gauge", "sum"):
        which = point.WhichOneof("value")
        return {"value": _finite(getattr(point, which))} if which else {}
    told: Row = {"count": point.count, "sum": _finite(point.sum)}
    if kind == "histogram":
        told |= {"bounds": [_finite(b) or 0.0 for b in point.explicit_bounds], "buckets": list(point.bucket_counts)}
    return told


def _finite(value: float) -> float | None:
    """JSON has no word for the others."""
    return float(value) if math.isfinite(value) else None


def _attributes(given: Sequence[Any]) -> Mapping[str, Any]:
    found = {each.key: plain(each.value) for each in given}
    return {key: _plain(value) for key, value in found.items() if value is not None}


def _plain(value: object) -> object:
    return _finite(value) if isinstance(value, float) else value


def _instant(nanoseconds: int, now: datetime) -> datetime:
    """The sender's instant, where it can be one; else when it came."""
    try:
        found = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return now
    return found if nanoseconds and found < now + _AHEAD else now
