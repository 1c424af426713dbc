"""OTLP requests with a secret in every place that has room for one, and a strategy that makes any."""

from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from alien_iac.protocol.telemetry.keys import ALLOWED
from alien_iac.protocol.telemetry.levels import Signal

SECRET = "hunter2-s3cr3t"
TRACE, SPAN = bytes(range(16)), bytes(range(8))
URL = f"https://user:{SECRET}@example.com/{SECRET}?token={SECRET}"
FREE = ("url.full", "url.query", "http.url", "db.statement", "enduser.id", "exception.message", "customer", SECRET)
STACK = f"""Traceback (most recent call last):
  File "/srv/app/main.py", line 12, in handle
    login("{SECRET}")
ValueError: {SECRET}
"""


def attributes(secret: str = SECRET) -> list[KeyValue]:
    """Free keys, and every allow-listed one, each with the secret as its value; nested too."""
    nested = KeyValueList(values=[KeyValue(key="a", value=AnyValue(string_value=secret))])
    array = ArrayValue(values=[AnyValue(string_value=secret)])
    # A name of ours may be any word, so what it holds is the vendor's own: it is written by the receiver anyway.
    named = {"alien.handler", "service.name", "alien.template"}
    keys = [*FREE, *(key for key in ALLOWED if key not in named)]
    texts = [KeyValue(key=key, value=AnyValue(string_value=secret)) for key in keys]
    others = [AnyValue(kvlist_value=nested), AnyValue(array_value=array), AnyValue(bytes_value=secret.encode())]
    return [
        *texts,
        *(KeyValue(key=f"o{number}", value=value) for number, value in enumerate(others)),
        KeyValue(key="exception.stacktrace", value=AnyValue(string_value=STACK)),
        KeyValue(key="alien.deployment.id", value=AnyValue(string_value="somebody-elses")),
    ]


def logs(secret: str = SECRET) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add(schema_url=secret)
    resource.resource.attributes.extend(attributes(secret))
    scope = resource.scope_logs.add(schema_url=secret)
    scope.scope.name, scope.scope.version = "shop.orders", secret
    scope.scope.attributes.extend(attributes(secret))
    record = scope.log_records.add(time_unix_nano=10**18, severity_number=17, severity_text=secret, trace_id=TRACE)
    record.span_id = SPAN
    record.body.string_value = f"cannot log in with {secret} at {URL}"
    record.attributes.extend(attributes(secret))
    bad = scope.log_records.add(trace_id=secret.encode(), span_id=secret.encode())
    bad.body.kvlist_value.values.extend(attributes(secret))
    return request


def traces(secret: str = SECRET) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(attributes(secret))
    scope = resource.scope_spans.add()
    span = scope.spans.add(trace_id=TRACE, span_id=SPAN, name=f"GET {URL}", kind=2, trace_state=f"v={secret}")
    span.start_time_unix_nano, span.end_time_unix_nano = 10**18, 10**18 + 5_000_000
    span.attributes.extend(attributes(secret))
    span.status.message = secret
    span.events.add(name=f"saw {secret}").attributes.extend(attributes(secret))
    span.events.add(name="exception").attributes.extend(attributes(secret))
    link = span.links.add(trace_id=TRACE, span_id=SPAN, trace_state=secret)
    link.attributes.extend(attributes(secret))
    return request


def metrics(secret: str = SECRET) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.extend(attributes(secret))
    metric = resource.scope_metrics.add().metrics.add(name="orders.placed", description=secret, unit="{order}")
    metric.metadata.extend(attributes(secret))
    for number in range(2):
        point = metric.sum.data_points.add(as_int=number + 1, time_unix_nano=10**18)
        point.attributes.extend(attributes(f"{secret}-{number}"))
        point.exemplars.add(as_int=1, span_id=SPAN).filtered_attributes.extend(attributes(secret))
    return request


MADE: dict[Signal, Any] = {"logs": logs, "traces": traces, "metrics": metrics}


def made(signal: Signal, secret: str = SECRET) -> Any:
    """A request of a signal, with the secret everywhere."""
    return MADE[signal](secret)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceLogs", "resourceSpans", "resourceMetrics", "scopeLogs", "scopeSpans", "scopeMetrics",
                    "logRecords", "spans", "metrics", "resource", "attributes", "key", "value", "stringValue",
                    "arrayValue", "values", "kvlistValue", "traceId", "spanId", "name", "body", "sum", "dataPoints",
                    "asInt", "timeUnixNano", "severityNumber", "kind", "status", "events", "histogram", "bucketCounts",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)  # fmt: skip
