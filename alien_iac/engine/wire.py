"""google.protobuf.Struct to JSON and back, and the engine's messages: the one place that knows Pulumi's gRPC values."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import struct_pb2

from alien_iac.engine import values
from alien_iac.engine.dialect import Json
from alien_iac.engine.model import UNKNOWN
from alien_iac.errors import InvalidInput

UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""Plugins have a mark of what is unknown for each type of value; inside the engine there is one."""

OPTIONS = (
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),
    ("grpc.max_send_message_length", 400 * 1024 * 1024),
    ("grpc.enable_http_proxy", 0),
    ("grpc.so_reuseport", 0),
)


def properties(message: struct_pb2.Struct | None) -> dict[str, Any]:
    """A Struct as JSON. Whole numbers come out as int, as the state file has them."""
    return {} if message is None else {k: plain(v) for k, v in message.fields.items()}


def plain(value: struct_pb2.Value) -> Json:
    """One value of a Struct as JSON."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return properties(value.struct_value)
    if kind == "list_value":
        return [plain(v) for v in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWNS else value.string_value
    return value.bool_value if kind == "bool_value" else None


def struct(value: Mapping[str, Any]) -> struct_pb2.Struct:
    """JSON as a Struct."""
    return struct_pb2.Struct(fields={k: message(v) for k, v in value.items()})


def message(value: Json) -> struct_pb2.Value:
    """One JSON value as a Struct's value."""
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=struct(value))
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[message(v) for v in value]))


def hashed(value: Json, folder: Path) -> Json:
    """The value with a content hash in every asset and archive, so that a changed file is a changed input."""
    return values.rewrite(value, lambda v: _hash(v, folder) if values.mark(v) in (values.ASSET, values.ARCHIVE) else v)


def _hash(asset: dict[str, Any], folder: Path) -> dict[str, Any]:
    if asset.get("hash"):
        return asset
    if "path" in asset:
        digest = _digest(folder / asset["path"])
    elif "uri" in asset:
        digest = hashlib.sha256(asset["uri"].encode()).hexdigest()
    elif "assets" in asset:
        parts = (f"{name}\0{part.get('hash', '')}\0" for name, part in sorted(asset["assets"].items()))
        digest = hashlib.sha256("".join(parts).encode()).hexdigest()
    else:
        digest = hashlib.sha256(asset.get("text", "").encode()).hexdigest()
    return {**asset, "hash": digest}


def _digest(path: Path) -> str:
    if not path.exists():
        raise InvalidInput(f"failed to compute asset hash: failed to open asset file {str(path)!r}: no such file")
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    total = hashlib.sha256()
    for inside in sorted(p for p in path.rglob("*") if p.is_file()):
        total.update(f"{inside.relative_to(path).as_posix()}\0{_digest(inside)}\0".encode())
    return total.hexdigest()


def text(value: Json) -> str:
    """A value as configuration has it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
