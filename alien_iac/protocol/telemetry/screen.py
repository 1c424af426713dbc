"""What leaves at a level: a request in, and one that is made anew of what may pass.

Nothing is taken out of what came; what passes is copied field by field, so that a field nobody thought of stays behind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from alien_iac.protocol.telemetry import otlp, text
from alien_iac.protocol.telemetry.levels import Level, Signal, carries
from alien_iac.protocol.telemetry.metrics import metric, number_of_points
from alien_iac.protocol.telemetry.otlp import Request
from alien_iac.protocol.telemetry.redact import redact
from alien_iac.protocol.telemetry.text import Policy

MOST_GROUPS = 2_000
MOST_ITEMS = 50_000
"""Of one request: more are refused by count, since each costs time."""
_FIELDS: Mapping[Signal, tuple[str, str, str]] = MappingProxyType(
    {
        "logs": ("resource_logs", "scope_logs", "log_records"),
        "traces": ("resource_spans", "scope_spans", "spans"),
        "metrics": ("resource_metrics", "scope_metrics", "metrics"),
    }
)
_SEVERITIES = ((21, "FATAL"), (17, "ERROR"), (13, "WARN"), (9, "INFO"), (5, "DEBUG"), (1, "TRACE"))
_KINDS = ("span", "internal", "server", "client", "producer", "consumer")
_TRACE_ID, _SPAN_ID = 16, 8


@dataclass(frozen=True, kw_only=True)
class Screened:
    """A request as it may leave, and what became of its items."""

    request: Request
    kept: int
    withheld: int
    """Items of signals that the level does not carry."""
    refused: int
    """Items that are broken or too many."""


def screen(signal: Signal, request: Request, level: Level) -> Screened:
    """What of the request may leave at a level."""
    resources, scopes, items = _FIELDS[signal]
    made, policy = otlp.empty(signal), text.policy(level)
    total = _total(signal, request)
    if not carries(level, signal):
        return Screened(request=made, kept=0, withheld=total, refused=0)
    kept = 0
    for resource in getattr(request, resources):
        group = getattr(made, resources).add(resource=_resource(resource.resource, policy))
        for scope in getattr(resource, scopes):
            inner = getattr(group, scopes).add(scope=_scope(scope.scope, policy))
            passed = [one for each in getattr(scope, items) if (one := _ITEMS[signal](each, policy)) is not None]
            getattr(inner, items).extend(passed)
            kept += len(passed)
    return Screened(request=made, kept=kept, withheld=0, refused=total - kept)


def _total(signal: Signal, request: Request) -> int:
    """How many items there are. TooLarge where there are too many of any part: what is empty costs time as well."""
    resources, scopes, items = _FIELDS[signal]
    groups = getattr(request, resources)
    if len(groups) <= MOST_GROUPS and sum(len(getattr(group, scopes)) for group in groups) <= MOST_GROUPS:
        parts = [getattr(scope, items) for group in groups for scope in getattr(group, scopes)]
        total = sum(map(len, parts))
        points = sum(number_of_points(one) for part in parts for one in part) if signal == "metrics" else 0
        if max(total, points) <= MOST_ITEMS:
            return total
    raise otlp.TooLarge(
        f"the body has more than {MOST_GROUPS} resources or scopes, or {MOST_ITEMS} items", hint="send smaller batches"
    )


def _resource(given: Resource, policy: Policy) -> Resource:
    return Resource(attributes=policy.attributes(given.attributes))


def _scope(given: InstrumentationScope, policy: Policy) -> InstrumentationScope:
    return InstrumentationScope(name=policy.name(given.name), attributes=policy.attributes(given.attributes))


def _log(given: LogRecord, policy: Policy) -> LogRecord:
    attributes = policy.attributes(given.attributes)
    number = given.severity_number
    made = LogRecord(
        time_unix_nano=given.time_unix_nano,
        observed_time_unix_nano=given.observed_time_unix_nano,
        severity_number=number,
        severity_text=_severity(number),
        attributes=attributes,
        flags=given.flags & 0xFF,
        event_name=policy.name(given.event_name),
    )
    if len(given.trace_id) == _TRACE_ID:
        made.trace_id = given.trace_id
        made.span_id = given.span_id if len(given.span_id) == _SPAN_ID else b""
    if isinstance(policy, text.Redacted):
        made.body.CopyFrom(text.body(given.body))
    elif found := text.template(attributes):
        made.body.CopyFrom(AnyValue(string_value=found))
    return made


def _severity(number: int) -> str:
    """OTLP's own word for a severity; what the sender calls it may be anything."""
    return next((name for bound, name in _SEVERITIES if number >= bound), "")


def _span(given: Span, policy: Policy) -> Span | None:
    """A span whose ids have the right length; None for any other."""
    if (len(given.trace_id), len(given.span_id)) != (_TRACE_ID, _SPAN_ID):
        return None
    attributes = policy.attributes(given.attributes)
    made = Span(
        trace_id=given.trace_id,
        span_id=given.span_id,
        parent_span_id=given.parent_span_id if len(given.parent_span_id) == _SPAN_ID else b"",
        flags=given.flags & 0x3FF,
        name=policy.text(given.name) or _span_name(given, attributes),
        kind=given.kind,
        start_time_unix_nano=given.start_time_unix_nano,
        end_time_unix_nano=given.end_time_unix_nano,
        attributes=attributes,
        trace_state=policy.text(given.trace_state),
    )
    made.status.code = given.status.code
    made.status.message = policy.text(given.status.message)
    for event in given.events[: text.MOST_EVENTS]:
        attributes = policy.attributes(event.attributes)
        made.events.add(time_unix_nano=event.time_unix_nano, name=_event(event.name, policy), attributes=attributes)
    for link in given.links[: text.MOST_EVENTS]:
        if (len(link.trace_id), len(link.span_id)) == (_TRACE_ID, _SPAN_ID):
            made.links.add(trace_id=link.trace_id, span_id=link.span_id, flags=link.flags & 0x3FF)
    return made


def _event(name: str, policy: Policy) -> str:
    return name if name == "exception" else policy.text(name) or "event"


def _span_name(given: Span, attributes: list[Any]) -> str:
    """A name made of what is known: the template, the route, the method; else the kind."""
    known = {each.key: each.value.string_value for each in attributes}
    if text.template(attributes):
        return text.template(attributes)
    method = known.get("http.request.method") or known.get("http.method", "")
    words = (
        [method, known.get("http.route", "")] if method else [known.get("rpc.service", ""), known.get("rpc.method", "")]
    )
    words = words if any(words) else [known.get("db.operation.name", ""), known.get("messaging.operation.type", "")]
    return redact(" ".join(filter(None, words))) or (_KINDS[given.kind] if 0 <= given.kind < len(_KINDS) else "span")


_ITEMS: Mapping[Signal, Callable[[Any, Policy], Any]] = MappingProxyType(
    {"logs": _log, "traces": _span, "metrics": metric}
)
