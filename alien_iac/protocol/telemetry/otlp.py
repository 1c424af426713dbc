"""Bodies of OTLP/HTTP, protobuf and JSON, gzipped or not: read within limits, and written.

Whoever sends them may be hostile: what is read is bounded before it is unpacked, and each failure is InvalidInput.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from alien_iac.errors import InvalidInput
from alien_iac.protocol.telemetry import nesting
from alien_iac.protocol.telemetry.levels import Signal

Request = ExportLogsServiceRequest | ExportMetricsServiceRequest | ExportTraceServiceRequest

UNPACKED_LIMIT = 4 << 20
"""Bytes of a body once it is unpacked: parsed, it may take thirty times as much for a moment."""
GATEWAY_LIMIT = 3 << 20
"""What the agent takes: with what it writes into it, the control plane takes it too."""
MOST_OBJECTS = 250_000
"""Of one body in JSON, which takes far longer to read than protobuf."""
_DEPTH = 40
_IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
PROTOBUF, JSON = "application/x-protobuf", "application/json"

_REQUESTS: Mapping[Signal, type[Request]] = MappingProxyType(
    {"logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest, "traces": ExportTraceServiceRequest}
)
_REJECTED: Mapping[Signal, str] = MappingProxyType(
    {"logs": "rejectedLogRecords", "metrics": "rejectedDataPoints", "traces": "rejectedSpans"}
)


class TooLarge(InvalidInput):
    """A body has more bytes than are taken at once."""

    code = "TOO_LARGE"
    http_status = 413


def read(signal: Signal, body: bytes, content_type: str, encoding: str = "", *, limit: int = UNPACKED_LIMIT) -> Request:
    """An export request. TooLarge, or InvalidInput, with nothing of the body in the text."""
    plain = unpacked(body, encoding, limit)
    kind = content_type.partition(";")[0].strip().lower()
    if kind == PROTOBUF:
        return _of_protobuf(signal, plain)
    if kind == JSON:
        return _of_json(signal, plain)
    raise InvalidInput(
        f"the content type must be {PROTOBUF} or {JSON}", hint="set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
    )


def unpacked(body: bytes, encoding: str, limit: int = UNPACKED_LIMIT) -> bytes:
    """The body without its compression, as far as the limit goes."""
    if len(body) > limit:
        raise TooLarge(f"the body has more than {limit} bytes", hint="send smaller batches")
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip":
            return _gunzipped(body, limit)
        case _:
            raise InvalidInput("the content encoding must be gzip or none")


def _gunzipped(body: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj(31)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise InvalidInput("the body is not gzip") from error
    if len(plain) > limit:
        raise TooLarge(f"the body has more than {limit} bytes when it is unpacked", hint="send smaller batches")
    if not unpacker.eof:
        raise InvalidInput("the body's gzip ends too soon")
    return plain


def _of_protobuf(signal: Signal, plain: bytes) -> Request:
    request = _REQUESTS[signal]()
    try:
        nesting.parse(request, plain)
    except (DecodeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"the body is no OTLP export of {signal}") from error
    return request


def _of_json(signal: Signal, plain: bytes) -> Request:
    if plain.count(b"{") > MOST_OBJECTS:
        raise TooLarge(f"the body has more than {MOST_OBJECTS} objects", hint="send smaller batches")
    request = _REQUESTS[signal]()
    try:
        told = _with_base64(json.loads(plain), _DEPTH)
        if not isinstance(told, dict):
            raise InvalidInput(f"the body is no OTLP export of {signal}")
        json_format.ParseDict(told, request, ignore_unknown_fields=True, max_recursion_depth=_DEPTH)
    except (
        json_format.ParseError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        # json_format lets the errors of its own parts through for values that nobody would write.
        raise InvalidInput(f"the body is no OTLP export of {signal} in JSON ({type(error).__name__})") from None
    return request


def _with_base64(told: object, depth: int) -> object:
    """OTLP writes ids in hex, where protobuf's own JSON has base64."""
    if depth == 0:
        raise InvalidInput(f"the body's JSON is deeper than {_DEPTH}")
    if isinstance(told, list):
        return [_with_base64(each, depth - 1) for each in told]
    if isinstance(told, dict):
        return {
            key: base64.b64encode(bytes.fromhex(value)).decode()
            if key in _IDS and isinstance(value, str)
            else _with_base64(value, depth - 1)
            for key, value in told.items()
        }
    return told


def written(request: Message) -> bytes:
    """A request in protobuf."""
    return bytes(request.SerializeToString())


def answer(signal: Signal, content_type: str, rejected: int) -> tuple[bytes, str]:
    """The body of a good answer, and its content type: that of the request."""
    told = {"partialSuccess": {_REJECTED[signal]: str(rejected)}} if rejected else {}
    if content_type.partition(";")[0].strip().lower() == JSON:
        return json.dumps(told).encode(), JSON
    # partial_success is field 1 of each answer, and the number field 1 in it.
    inner = b"\x08" + _varint(rejected)
    return (b"\x0a" + _varint(len(inner)) + inner if rejected else b""), PROTOBUF


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def groups(request: Request) -> list[Any]:
    """The resources of a request, each with its scopes."""
    for name in ("resource_logs", "resource_spans", "resource_metrics"):
        if hasattr(request, name):
            return list(getattr(request, name))
    return []


def empty(signal: Signal) -> Request:
    """A request with nothing in it."""
    return _REQUESTS[signal]()
