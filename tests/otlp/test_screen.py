"""What leaves at each level: nothing that was planted, whatever sends it, and no crash whatever it sends."""

import gzip
import importlib
import json
import tracemalloc
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from otlp.otlp_samples import JSON, SECRET, made

from alien_iac.errors import InvalidInput
from alien_iac.protocol.telemetry import otlp, stamp
from alien_iac.protocol.telemetry.levels import LEVELS, SIGNALS, Level, Signal, carries, strictest
from alien_iac.protocol.telemetry.redact import LIMIT, MARK, PATTERNS, redact
from alien_iac.protocol.telemetry.screen import MOST_ITEMS, screen


def passed(signal: Signal, request: Any, level: Level) -> Any:
    return screen(signal, request, level).request


@pytest.mark.parametrize("level", ["off", "metrics", "events"])
@pytest.mark.parametrize("signal", SIGNALS)
def test_nothing_planted_leaves_below_full(signal: Signal, level: Level) -> None:
    told = otlp.written(screen(signal, made(signal), level).request)
    assert SECRET.encode() not in told
    for part in (b"hunter2", b"s3cr3t", b"somebody-elses", b"user:"):
        assert part not in told


@pytest.mark.parametrize("signal", SIGNALS)
def test_the_level_says_which_signals_leave_at_all(signal: Signal) -> None:
    for level in LEVELS:
        found = screen(signal, made(signal), level)
        assert bool(found.kept) is carries(level, signal)
        assert bool(found.withheld) is not carries(level, signal)


def test_what_is_of_use_stays() -> None:
    log = passed("logs", made("logs"), "events").resource_logs[0].scope_logs[0]
    assert log.scope.name == "shop.orders"
    record = log.log_records[0]
    assert (record.severity_text, record.trace_id) == ("ERROR", bytes(range(16)))
    frames = [each for each in record.attributes if each.key == "alien.exception.frames"]
    assert frames[0].value.array_value.values[0].string_value == "main.py:12 handle"
    request = made("traces")
    span = request.resource_spans[0].scope_spans[0].spans[0]
    del span.attributes[:]
    for key, text in (("http.request.method", "GET"), ("http.route", "/orders/{id}"), ("error.type", "KeyError")):
        span.attributes.append(KeyValue(key=key, value=AnyValue(string_value=text)))
    kept = passed("traces", request, "events").resource_spans[0].scope_spans[0].spans[0]
    assert (kept.name, len(kept.attributes), [event.name for event in kept.events]) == (
        "GET /orders/{id}",
        3,
        ["event", "exception"],
    )


def test_a_template_is_told_as_the_body_and_the_name() -> None:
    request = made("logs")
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.attributes.append(KeyValue(key="alien.template", value=AnyValue(string_value="order %s placed")))
    kept = passed("logs", request, "events").resource_logs[0].scope_logs[0].log_records[0]
    assert kept.body.string_value == "order %s placed"


def test_points_that_differed_in_what_was_held_back_are_added_up() -> None:
    metric = passed("metrics", made("metrics"), "metrics").resource_metrics[0].scope_metrics[0].metrics[0]
    assert [point.as_int for point in metric.sum.data_points] == [3]


SPOKEN = {
    "private keys in PEM": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    "JWTs": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "credentials after": "Authorization: Bearer abcdef123456",
    "keys and tokens of": "AKIAIOSFODNN7EXAMPLE ghp_aaaaaaaaaaaaaaaaaaaaaaaa xoxb-1234567890-abc sk_live_aaaaaaaaaaaa",
    "user and password in a URL": "postgres://admin:pa55word@db.example/app",
    "queries and fragments": "GET https://example.com/cb?code=8f3a9c and /x#access_token=8f3a9c",
    "values after password": 'password=pa55word "api_key": "pa55word" client_secret: pa55word passphrase is pa55word',
    "e-mail addresses": "mail to jane.doe+x@example.co.uk now",
    "card numbers": "card 4111 1111 1111 1111 declined",
    "hex, or letters": "digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
}
LEFT = (
    "MIIEpAIBAAKCAQEA", "c2lnbmF0dXJl", "abcdef123456", "AKIAIOSFODNN7EXAMPLE", "ghp_aaa", "xoxb-123", "sk_live_",
    "admin:", "8f3a9c", "pa55word", "jane.doe", "4111 1111", "9f86d081884c7d65",
)  # fmt: skip


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(("name", "text"), SPOKEN.items())
def test_no_documented_pattern_leaves_at_full(signal: Signal, name: str, text: str) -> None:
    assert any(known.startswith(name) for known, _, _ in PATTERNS)
    found = screen(signal, made(signal, text), "full").request
    told = otlp.written(found).decode(errors="replace") + json_format.MessageToJson(found)
    assert [part for part in LEFT if part in told] == []


def test_every_documented_pattern_is_tried() -> None:
    assert len(SPOKEN) == len(PATTERNS)


def test_free_text_and_attributes_leave_at_full() -> None:
    found = passed("logs", made("logs", "all quiet"), "full").resource_logs[0].scope_logs[0].log_records[0]
    assert found.body.string_value.startswith("cannot log in with all quiet")
    assert {each.key: each.value.string_value for each in found.attributes}["customer"] == "all quiet"


@given(st.text(max_size=300) | st.sampled_from([" ".join(SPOKEN.values()), "password=" * 50, "?a=" * 100]))
def test_redacting_again_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


LONG = ("a" * 40_000, "/" * 40_000, "eyJ" * 14_000, "a=" * 20_000, "secret" * 7_000, "1 " * 20_000)


@pytest.mark.parametrize("text", LONG)
@pytest.mark.timeout(10)
def test_redacting_is_quick_for_any_text(text: str) -> None:
    assert len(redact(text)) <= LIMIT


@given(st.sampled_from(SIGNALS), st.binary(max_size=200), st.sampled_from(["", "gzip", "br"]), st.booleans())
def test_any_bytes_are_a_request_or_refused(signal: Signal, body: bytes, encoding: str, is_json: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    kind = otlp.JSON if is_json else otlp.PROTOBUF
    for sent in (body, gzip.compress(body)):
        try:
            request = otlp.read(signal, sent, kind, encoding)
        except InvalidInput:
            continue
        for level in LEVELS:
            screen(signal, request, level)


@settings(max_examples=150)
@given(st.sampled_from(SIGNALS), JSON)
def test_any_json_is_a_request_or_refused(signal: Signal, body: object) -> None:
    top = {"logs": "resourceLogs", "traces": "resourceSpans", "metrics": "resourceMetrics"}[signal]
    for told in (body, {top: body}, {top: [{"scopeLogs": body, "scopeSpans": body, "scopeMetrics": body}]}):
        try:
            request = otlp.read(signal, json.dumps(told).encode(), otlp.JSON)
        except InvalidInput:
            continue
        assert screen(signal, request, "events").kept >= 0


@settings(max_examples=100)
@given(st.sampled_from(SIGNALS), st.data())
def test_a_damaged_request_is_a_request_or_refused(signal: Signal, data: st.DataObject) -> None:
    body = bytearray(otlp.written(made(signal)))
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = screen(signal, otlp.read(signal, bytes(body), otlp.PROTOBUF), "events")
    except InvalidInput:
        return
    assert otlp.read(signal, otlp.written(found.request), otlp.PROTOBUF, limit=1 << 24) == found.request


@pytest.mark.parametrize("body", [b"\0" * (64 << 20), b"[" * (2 << 20), b" " * (8 << 20)])
def test_a_bomb_is_refused_before_it_goes_off(body: bytes) -> None:
    packed = gzip.compress(body)
    tracemalloc.start()
    try:
        for kind in (otlp.JSON, otlp.PROTOBUF):
            with pytest.raises(InvalidInput):
                otlp.read("logs", packed, kind, "gzip")
        assert tracemalloc.get_traced_memory()[1] < 48 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", [b"[" * (2 << 20), b"\x0a\xff\xff\xff\x01" * 300_000])
def test_what_is_nested_without_end_is_refused_beside_pulumi_too(body: bytes) -> None:
    """Pulumi's SDK lifts protobuf's bound on nesting for its whole process."""
    importlib.import_module("pulumi.runtime.rpc")
    with pytest.raises(InvalidInput):
        otlp.read("logs", body, otlp.PROTOBUF)


def test_a_request_of_too_many_items_is_refused() -> None:
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b",".join([b"{}"] * (MOST_ITEMS + 1)) + b"]}]}]}"
    with pytest.raises(otlp.TooLarge):
        screen("logs", otlp.read("logs", body, otlp.JSON), "events")


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.timeout(20)
def test_what_is_empty_is_bounded_too(signal: Signal) -> None:
    for body in (b"\x0a\x00" * (2 << 20), b"\x0a\x80\x80\x80\x01" + b"\x12\x00" * (1 << 20)):
        with pytest.raises(otlp.TooLarge):
            screen(signal, otlp.read(signal, body, otlp.PROTOBUF), "full")
    many = b"\x3a\x80\x80\x80\x01" + b"\x0a\x00" * (1 << 20)  # points of a sum
    request = otlp.read("metrics", b"\x0a" + length(b"\x12" + length(b"\x12" + length(many))), otlp.PROTOBUF)
    with pytest.raises(otlp.TooLarge):
        screen("metrics", request, "metrics")


def length(body: bytes) -> bytes:
    """The body after its length, as protobuf writes it."""
    number, found = len(body), bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number]) + body


def test_json_of_too_many_objects_is_refused() -> None:
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[' + b"{}," * 300_000 + b"{}]}]}]}]}"
    with pytest.raises(otlp.TooLarge):
        otlp.read("logs", body, otlp.JSON)


def test_nesting_without_end_is_refused() -> None:
    deep = b'{"arrayValue":{"values":[' * 60 + b"{}" + b"]}}" * 60
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + deep + b"}]}]}]}"
    with pytest.raises(InvalidInput):
        otlp.read("logs", body, otlp.JSON)


def test_the_stamp_is_written_over_every_claim() -> None:
    request = made("logs")
    stamp.stamp(request, [{"alien.deployment.id": "dep_mine", "customer": "acme"}])
    found = [each.value.string_value for each in request.resource_logs[0].resource.attributes if each.key == "customer"]
    assert found == ["acme"]
    assert stamp.fact(request.resource_logs[0].resource.attributes, "alien.deployment.id") == "dep_mine"


@given(st.lists(st.sampled_from(LEVELS), min_size=1))
def test_the_strictest_lets_out_no_more_than_any(levels: list[Level]) -> None:
    for signal in SIGNALS:
        assert not carries(strictest(*levels), signal) or all(carries(level, signal) for level in levels)


def test_the_mark_is_not_redacted() -> None:
    assert redact(f"password={MARK}") == f"password={MARK}"


def test_answers_speak_as_the_request_did() -> None:
    assert otlp.answer("logs", otlp.JSON, 2) == (b'{"partialSuccess": {"rejectedLogRecords": "2"}}', otlp.JSON)
    assert otlp.answer("traces", otlp.PROTOBUF, 300) == (b"\x0a\x03\x08\xac\x02", otlp.PROTOBUF)
    assert otlp.answer("metrics", otlp.PROTOBUF, 0) == (b"", otlp.PROTOBUF)
