"""JSON, times and the version as the Pulumi CLI writes them."""

import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any

from alien_iac.errors import InvalidInput

Json = Any
"""A JSON value of any shape, also a config value or a property."""

VERSION = "3.260.0"
MAGIC = hashlib.sha256(VERSION.encode()).hexdigest()
BEYOND = "install the Pulumi CLI for that: `alien doctor --install`"


def dumps(value: object) -> str:
    """One line, keys in the order given."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def pretty(value: object, indent: int = 2) -> str:
    """As commands print it."""
    return json.dumps(value, indent=indent, ensure_ascii=False)


def parse(data: bytes | str, source: str) -> Json:
    """JSON of a file. Raises InvalidInput that names the file."""
    try:
        return json.loads(data)
    except ValueError as error:
        raise InvalidInput(f"{source} is not JSON: {error}") from error


def ordered(value: Json) -> Json:
    """The same JSON with sorted keys and whole numbers without a fraction, as Go writes maps and floats."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [ordered(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:  # noqa: PLR2004 - Go's own limit
        return int(value)
    return value


def now() -> str:
    """The time, RFC 3339 with nanoseconds and without trailing zeros, in UTC."""
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def milliseconds(moment: str) -> str:
    """A time of `now` in UTC with exactly three decimals, as listings show it."""
    stamp = datetime.fromisoformat(moment).astimezone(UTC)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z"
