"""From payloads to arguments: what a handler's signature takes, and what it says of what it does not take."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pydantic
import pytest

from alien_iac.errors import InvalidInput
from alien_iac.runtime.handlers import Handler, Kind
from alien_iac.runtime.signatures import Call, Rejected, binder, parameters_schema, to_json
from alien_iac.runtime.work import Payload


class Job(pydantic.BaseModel):
    key: str
    size: int = 0


@dataclasses.dataclass
class Point:
    x: int
    y: int


def bound(kind: Kind, function: Callable[..., Any], payload: object) -> Call:
    return binder(Handler(kind=kind, name="it", function=function))(payload)


def test_parameters_by_annotation() -> None:
    def handler(job: Job, when: dt.date, ids: list[uuid.UUID], *, mode: Literal["a", "b"] = "a") -> None: ...

    raw = b'{"job": {"key": "k"}, "when": "2026-01-02", "ids": ["12345678-1234-5678-1234-567812345678"]}'
    kwargs = bound("command", handler, raw).kwargs
    assert kwargs["job"] == Job(key="k")
    assert kwargs["when"] == dt.date(2026, 1, 2)
    assert "mode" not in kwargs


def test_names_that_mean_something_to_pydantic() -> None:
    def handler(schema: str, model_config: int, copy: bool, self: int = 1, json: object = None) -> None: ...  # noqa: FBT001 - the names are the subject

    raw = b'{"schema": "s", "model_config": 1, "copy": true, "json": [1]}'
    kwargs = bound("command", handler, raw).kwargs
    assert kwargs == {"schema": "s", "model_config": 1, "copy": True, "json": [1]}


@pytest.mark.parametrize("raw", [b"", b"null", b" ", b"{}"])
def test_no_parameters(raw: bytes) -> None:
    assert bound("command", lambda: None, raw).kwargs == {}


@pytest.mark.parametrize("raw", [b"[1]", b"7", b'"x"', b"{", b"\xff"])
def test_parameters_that_are_no_object(raw: bytes) -> None:
    with pytest.raises(Rejected, match="JSON object") as caught:
        bound("command", lambda: None, raw)
    assert caught.value.code == "INVALID_PARAMETERS"


def test_all_problems_at_once_and_no_values() -> None:
    def handler(a: int, b: Annotated[str, pydantic.Field(max_length=3)], c: Job) -> None: ...

    with pytest.raises(Rejected) as caught:
        bound("command", handler, b'{"a": "hunter2", "b": "hunter2", "d": "hunter2"}')
    for word in ("a:", "b:", "c: is required", "d: there is no such parameter"):
        assert word in caught.value.message
    assert "hunter2" not in caught.value.message


def test_signatures_that_no_command_can_have() -> None:
    class Odd: ...

    def positional(a: int, /) -> None: ...
    def star(*args: int) -> None: ...
    def odd(a: Odd) -> None: ...
    def unknown(a: "Nowhere") -> None: ...  # type: ignore[name-defined] # noqa: F821 - the subject

    for function in (positional, star, odd, unknown):
        with pytest.raises(InvalidInput, match=function.__name__):
            binder(Handler(kind="command", name="it", function=function))


@pytest.mark.parametrize(
    ("annotation", "payload", "expected"),
    [
        (Job, Payload('{"key": "k", "size": "3"}', is_json=True), Job(key="k", size=3)),
        (Job, Payload('{"key": "k"}', is_json=True), Job(key="k")),
        (Point, Payload('{"x": 1, "y": 2}', is_json=True), Point(1, 2)),
        (dict, Payload('{"x": 1}', is_json=True), {"x": 1}),
        (Any, Payload("[1]", is_json=True), [1]),
        (Any, Payload("plain", is_json=False), "plain"),
        (str, Payload("plain", is_json=False), "plain"),
        (str, Payload('"quoted"', is_json=True), "quoted"),
        (str, Payload('{"x":1}', is_json=True), '{"x":1}'),
        (bytes, Payload("ü", is_json=False), "ü".encode()),
        (bytes, Payload('{"x":1}', is_json=True), b'{"x":1}'),
    ],
)
def test_messages_by_annotation(annotation: Any, payload: Payload, expected: object) -> None:
    def handler(message: Any) -> None: ...

    handler.__annotations__["message"] = annotation
    assert bound("message", handler, payload).args == (expected,)


def test_messages_that_do_not_fit() -> None:
    def handler(job: Job) -> None: ...

    for payload in (Payload("hunter2", is_json=False), Payload('{"key": ["hunter2"]}', is_json=True)):
        with pytest.raises(Rejected) as caught:
            bound("message", handler, payload)
        assert caught.value.code == "INVALID_PAYLOAD"
        assert "hunter2" not in caught.value.message


def test_what_the_other_kinds_take() -> None:
    instant = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert bound("created", lambda key: key, "a").args == ("a",)
    assert bound("schedule", lambda: None, instant).args == ()
    assert bound("schedule", lambda at: at, instant).args == (instant,)

    def two(a: int, b: int) -> None: ...
    def one(a: int) -> None: ...
    def none() -> None: ...

    bad: list[tuple[Kind, Callable[..., Any]]] = [
        ("created", none),
        ("created", two),
        ("message", none),
        ("schedule", two),
        ("health", one),
    ]
    for kind, function in bad:
        with pytest.raises(InvalidInput):
            bound(kind, function, None)


def test_results() -> None:
    handler = Handler(kind="command", name="it", function=lambda: None)
    assert to_json(None, handler) == b"null"
    assert to_json(Job(key="ü"), handler) == '{"key":"ü","size":0}'.encode()
    assert to_json({"at": dt.date(2026, 1, 2), "p": Point(1, 2)}, handler) == b'{"at":"2026-01-02","p":{"x":1,"y":2}}'
    assert to_json([float("nan")], handler) == b"[null]"
    loop: list[object] = []
    loop.append(loop)
    for value in (object(), b"\xff", loop):
        with pytest.raises(Rejected) as caught:
            to_json(value, handler)
        assert caught.value.code == "RESULT_NOT_JSON"


def test_the_schema_of_parameters() -> None:
    def handler(job: Job, limit: Annotated[int, pydantic.Field(ge=1, description="rows")] = 100) -> None: ...

    schema = parameters_schema(Handler(kind="command", name="it", function=handler))
    assert schema["required"] == ["job"]
    assert schema["properties"]["limit"] == {
        "default": 100,
        "description": "rows",
        "minimum": 1,
        "title": "limit",
        "type": "integer",
    }
    assert schema["additionalProperties"] is False
