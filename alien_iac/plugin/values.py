"""Pulumi's properties as they travel, and as the kinds of resource see them: plain data, with what is unknown marked.

Secrets are remembered by top-level property: one with a secret anywhere in it goes back as a secret as a whole.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

Json = Any
"""A value as JSON has it, of which the form is not known here."""
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark of a secret, the same in every Pulumi program
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
    }
)
"""What stands for a value that a preview does not know yet: one mark for each type of value."""


@dataclass(frozen=True)
class Properties:
    """Plain data, the names of the properties that hold a secret, and of those with something unknown in them."""

    plain: dict[str, Any] = field(repr=False)
    secret: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()


def decode(struct: Struct) -> Properties:
    """The properties that came. A null counts as a property that is not given."""
    raw = {key: _python(value) for key, value in struct.fields.items()}
    given = {key: value for key, value in raw.items() if value is not None}
    return Properties(
        {key: _bare(value) for key, value in given.items()},
        frozenset(key for key, value in given.items() if any(_is_secret(part) for part in _parts(value))),
        frozenset(key for key, value in given.items() if any(_is_unknown(part) for part in _parts(value))),
    )


def encode(plain: Mapping[str, Any], secret: Collection[str] = ()) -> Struct:
    """The properties that go; those named in `secret` as secrets."""
    struct = Struct()
    struct.update({k: {SIGNATURE: SECRET, "value": v} if k in secret else v for k, v in plain.items()})
    return struct


def _python(value: Value) -> Json:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {key: _python(item) for key, item in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_python(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return None if kind in ("null_value", None) else getattr(value, kind)


def _parts(value: Json) -> Iterator[Json]:
    """The value and all that is in it."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from _parts(item)


def _is_secret(value: Json) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def _is_unknown(value: Json) -> bool:
    return isinstance(value, str) and value in UNKNOWNS


def _bare(value: Json) -> Json:
    """The value without the wrapping of secrets."""
    if isinstance(value, dict):
        return _bare(value.get("value")) if _is_secret(value) else {key: _bare(item) for key, item in value.items()}
    return [_bare(item) for item in value] if isinstance(value, list) else value
