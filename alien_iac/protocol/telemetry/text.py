"""What of a text and of an attribute passes at a level: nothing but forms below `full`, redacted text at `full`."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from alien_iac.protocol.telemetry import frames, keys
from alien_iac.protocol.telemetry.levels import FRAMES, TEMPLATE, Level
from alien_iac.protocol.telemetry.redact import MARK, SECRET_NAME, is_clean, redact

_DEPTH = 6
_MOST = 128
"""Attributes of one item, and values of one list, that are kept."""
_MOST_LOOKED_AT = 1_000
"""Attributes of one item that are looked at, where most stay behind."""
MOST_EVENTS = 128
"""Events, and links, of one span that are kept."""
_SCALARS = frozenset({"string_value", "bool_value", "int_value", "double_value"})
_DOTTED = re.compile(r"(?!.*\d{4})[A-Za-z_][\w]{0,60}(?:[./:-]{1,2}[A-Za-z_@]\w{0,60}){0,10}")
_METRIC = re.compile(r"(?!.*\d{4})[A-Za-z][A-Za-z0-9_./-]{0,127}")
_UNIT = re.compile(r"[A-Za-z%/{}.*^0-9-]{0,20}")


class Policy(Protocol):
    """One level's rules. Each method gives what passes: "" or nothing where nothing does."""

    def text(self, text: str) -> str:
        """Free text."""
        ...

    def name(self, text: str) -> str:
        """A name that is a constant of the code by its nature: of a scope, or of an event."""
        ...

    def attributes(self, given: Sequence[KeyValue]) -> list[KeyValue]: ...


class Forms:
    """Below `full`."""

    def text(self, text: str) -> str:
        del text
        return ""

    def name(self, text: str) -> str:
        return text if _DOTTED.fullmatch(text) and is_clean(text) else ""

    def attributes(self, given: Sequence[KeyValue]) -> list[KeyValue]:
        found = {}
        for each in given[:_MOST_LOOKED_AT]:
            value = keys.allowed(each.key, plain(each.value))
            if value is not None:
                found[each.key] = value
            elif each.key == "exception.stacktrace":
                found[FRAMES] = frames.of_text(each.value.string_value)
        return [KeyValue(key=key, value=wrapped(value)) for key, value in found.items()]


class Redacted:
    """At `full`."""

    def text(self, text: str) -> str:
        return redact(text)

    def name(self, text: str) -> str:
        return redact(text)

    def attributes(self, given: Sequence[KeyValue]) -> list[KeyValue]:
        return [
            KeyValue(key=redact(each.key), value=_clean(each.key, each.value, _DEPTH))
            for each in given[:_MOST]
            if not keys.is_reserved(each.key)
        ]


def policy(level: Level) -> Policy:
    """The rules of a level that lets anything out."""
    return Redacted() if level == "full" else Forms()


def plain(value: AnyValue) -> object:
    """A scalar, or a list of strings; None for what is nested."""
    kind = value.WhichOneof("value")
    if kind in _SCALARS:
        return getattr(value, kind)
    if kind == "array_value":
        return [each.string_value for each in value.array_value.values[:_MOST]]
    return None


def wrapped(value: keys.Value) -> AnyValue:
    """A plain value as OTLP has it."""
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case list():
            made = AnyValue()
            made.array_value.values.extend(AnyValue(string_value=each) for each in value)
            return made


def _clean(key: str, value: AnyValue, depth: int) -> AnyValue:
    kind = value.WhichOneof("value")
    if SECRET_NAME.search(key) and kind is not None:
        return AnyValue(string_value=MARK)
    made = AnyValue()
    match kind:
        case "string_value":
            made.string_value = redact(value.string_value)
        case "bool_value" | "int_value" | "double_value":
            made.CopyFrom(_number(value, kind))
        case "array_value" if depth:
            made.array_value.values.extend(_clean(key, each, depth - 1) for each in value.array_value.values[:_MOST])
        case "kvlist_value" if depth:
            made.kvlist_value.values.extend(
                KeyValue(key=redact(each.key), value=_clean(each.key, each.value, depth - 1))
                for each in value.kvlist_value.values[:_MOST]
            )
        case _:  # bytes, which nothing can look into, and what is too deep
            pass
    return made


def body(value: AnyValue) -> AnyValue:
    """The body of a log record at `full`."""
    return _clean("", value, _DEPTH)


def _number(value: AnyValue, kind: str) -> AnyValue:
    """A number that would be redacted as text goes the same way: a card's is often sent as one."""
    number: Any = getattr(value, kind)
    made = AnyValue(**{kind: number})
    return made if is_clean(str(number)) else AnyValue(string_value=MARK)


def template(attributes: Iterable[KeyValue]) -> str:
    """The template among screened attributes; empty where there is none."""
    return next((each.value.string_value for each in attributes if each.key == TEMPLATE), "")


def metric_name(text: str) -> str:
    """A metric's name, which is a constant of the code by its nature; empty for anything else."""
    return text if _METRIC.fullmatch(text) and is_clean(text) else ""


def unit(text: str) -> str:
    """A unit such as `ms` or `{request}`; empty for anything else."""
    return text if _UNIT.fullmatch(text) else ""
