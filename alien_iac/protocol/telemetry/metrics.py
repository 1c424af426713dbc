"""Metrics at a level: names, numbers and allow-listed attributes. Points that then look alike are added up."""

from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)

from alien_iac.protocol.telemetry import text
from alien_iac.protocol.telemetry.text import Policy

_MOST_BUCKETS = 512
_LARGEST = 2**63 - 1
"""Sums stop there: they are of somebody's making."""


def number_of_points(given: Metric) -> int:
    """How many points a metric has."""
    kind = given.WhichOneof("data")
    return len(getattr(given, kind).data_points) if kind else 0


def metric(given: Metric, policy: Policy) -> Metric | None:
    """The metric with its points; None where its name or kind is none."""
    name, kind = text.metric_name(given.name), given.WhichOneof("data")
    if not name or kind is None:
        return None
    made = Metric(name=name, unit=text.unit(given.unit), description=policy.text(given.description))
    data, theirs = getattr(made, kind), getattr(given, kind)
    data.SetInParent()
    if kind not in {"gauge", "summary"}:
        data.aggregation_temporality = theirs.aggregation_temporality
    if kind == "sum":
        data.is_monotonic = theirs.is_monotonic
    data.data_points.extend(_merged(kind, (_POINTS[kind](point, policy) for point in theirs.data_points)))
    return made


def _number(given: NumberDataPoint, policy: Policy) -> NumberDataPoint:
    made = NumberDataPoint(**_common(given, policy))
    match given.WhichOneof("value"):
        case "as_int":
            made.as_int = given.as_int
        case "as_double":
            made.as_double = given.as_double
    return made


def _histogram(given: HistogramDataPoint, policy: Policy) -> HistogramDataPoint:
    made = HistogramDataPoint(
        **_common(given, policy),
        count=given.count,
        bucket_counts=given.bucket_counts[:_MOST_BUCKETS],
        explicit_bounds=given.explicit_bounds[:_MOST_BUCKETS],
    )
    for field in ("sum", "min", "max"):
        if given.HasField(field):
            setattr(made, field, getattr(given, field))
    return made


def _exponential(given: ExponentialHistogramDataPoint, policy: Policy) -> ExponentialHistogramDataPoint:
    made = ExponentialHistogramDataPoint(
        **_common(given, policy),
        count=given.count,
        scale=given.scale,
        zero_count=given.zero_count,
        zero_threshold=given.zero_threshold,
    )
    for side in ("positive", "negative"):
        theirs = getattr(given, side)
        getattr(made, side).offset = theirs.offset
        getattr(made, side).bucket_counts.extend(theirs.bucket_counts[:_MOST_BUCKETS])
    for field in ("sum", "min", "max"):
        if given.HasField(field):
            setattr(made, field, getattr(given, field))
    return made


def _summary(given: SummaryDataPoint, policy: Policy) -> SummaryDataPoint:
    made = SummaryDataPoint(**_common(given, policy), count=given.count, sum=given.sum)
    for each in given.quantile_values[:_MOST_BUCKETS]:
        made.quantile_values.add(quantile=each.quantile, value=each.value)
    return made


_POINTS: dict[str, Callable[[Any, Policy], Any]] = {
    "gauge": _number,
    "sum": _number,
    "histogram": _histogram,
    "exponential_histogram": _exponential,
    "summary": _summary,
}


def _common(given: Any, policy: Policy) -> dict[str, Any]:
    return {
        "attributes": policy.attributes(given.attributes),
        "start_time_unix_nano": given.start_time_unix_nano,
        "time_unix_nano": given.time_unix_nano,
        "flags": given.flags & 1,
    }


def _merged(kind: str, points: Iterable[Any]) -> list[Any]:
    """Points that differed only in what was held back: sums and histograms of the same bounds become one."""
    found: dict[object, Any] = {}
    for number, point in enumerate(points):
        key: object = (_key(point.attributes), tuple(getattr(point, "explicit_bounds", ())))
        if kind not in ("sum", "histogram"):
            key = number
        if key in found:
            _add(kind, found[key], point)
        else:
            found[key] = point
    return list(found.values())


def _key(attributes: Iterable[KeyValue]) -> tuple[bytes, ...]:
    return tuple(sorted(each.SerializeToString(deterministic=True) for each in attributes))


def _add(kind: str, to: Any, point: Any) -> None:
    to.time_unix_nano = max(to.time_unix_nano, point.time_unix_nano)
    if kind == "histogram":
        to.count = min(to.count + point.count, _LARGEST)
        to.sum += point.sum
        to.bucket_counts[:] = [
            min(a + b, _LARGEST) for a, b in zip(to.bucket_counts, point.bucket_counts, strict=False)
        ]
        if to.HasField("min") and point.HasField("min"):
            to.min, to.max = min(to.min, point.min), max(to.max, point.max)
    elif to.WhichOneof("value") == "as_int" and point.WhichOneof("value") == "as_int":
        to.as_int = max(-_LARGEST, min(to.as_int + point.as_int, _LARGEST))
    else:
        to.as_double = _value(to) + _value(point)


def _value(point: NumberDataPoint) -> float:
    return float(point.as_int if point.WhichOneof("value") == "as_int" else point.as_double)
