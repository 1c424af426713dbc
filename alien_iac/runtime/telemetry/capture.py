"""What happens, as OTLP's JSON in the buffer: the level is enforced here first, before anything is kept."""

from __future__ import annotations

import json
import logging
import math
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alien_iac.protocol.telemetry import frames, keys
from alien_iac.protocol.telemetry.levels import DEFAULT, FRAMES, TEMPLATE, Level, carries, parse
from alien_iac.protocol.telemetry.redact import SECRET_NAME, redact
from alien_iac.runtime.telemetry import spans
from alien_iac.runtime.telemetry.active import Sink
from alien_iac.runtime.telemetry.buffer import MOST_SERIES, Buffer

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNTIME = "alien"
_QUIET = (RUNTIME, "uvicorn", "httpx", "httpcore", "watchfiles", "asyncio", "botocore", "urllib3", "azure", "google")
"""Loggers of which only what is a warning and more is taken: of the rest the spans tell."""
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_ERROR = 2
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_DEEP = 60


class Capture(Sink):
    """Takes log records, spans and measurements. `level` may change at any time."""

    def __init__(self, buffer: Buffer) -> None:
        super().__init__()
        self.buffer = buffer
        self._level = parse(buffer.fact("level")) or DEFAULT
        self._points = buffer.points()
        self._quiet = threading.local()
        self._numbers = threading.Lock()

    @property
    def at(self) -> Level:
        """The level that holds, as far as it is known."""
        return self._level

    def learn(self, level: Level) -> None:
        """From now on, this level."""
        if level != self._level:
            self._level = level
            self.buffer.keep_fact("level", level)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """What this thread does meanwhile is not recorded: it sends what was."""
        self._quiet.on = True
        try:
            yield
        finally:
            self._quiet.on = False

    def emit(self, record: logging.LogRecord) -> None:
        """As every handler of `logging`; what goes wrong here is its own affair, as there."""
        level = self.at
        chatter = record.levelno < logging.WARNING and record.name.partition(".")[0] in _QUIET
        if getattr(self._quiet, "on", False) or chatter or not carries(level, "logs"):
            return
        try:
            self.buffer.put("logs", _name(record.name), level, _log(record, level))
        except Exception:  # noqa: BLE001 - the contract of logging: the program goes on
            self.handleError(record)

    def span(self, ended: Mapping[str, Any]) -> None:
        level = self.at
        if carries(level, "traces") and not getattr(self._quiet, "on", False):
            self.buffer.put("traces", RUNTIME, level, _span(ended, level))

    def number(self, instrument: Mapping[str, Any], value: float, attributes: Mapping[str, object]) -> None:
        if not carries(self.at, "metrics") or not instrument["name"] or not math.isfinite(value):
            return
        kept = {k: found for k, v in attributes.items() if (found := keys.allowed(k, v)) is not None}
        key = json.dumps([instrument["name"], kept], sort_keys=True)
        with self._numbers:
            point = self._points.get(key)
            if point is None:
                if len(self._points) >= MOST_SERIES:
                    self.buffer.lose("metrics", "full")
                    return
                point = self._points[key] = _point(instrument, kept)
            _count(point, value)
            self.buffer.keep_point(key, point)

    def metrics(self) -> list[dict[str, Any]]:
        """Every point as it stands now."""
        with self._numbers:
            return [dict(point) for point in self._points.values()]


def _name(text: str) -> str:
    """A logger's name, as far as it is that of a module."""
    return text if all(part.isidentifier() for part in text.split(".")) else ""


def _log(record: logging.LogRecord, level: Level) -> dict[str, Any]:
    found: dict[str, object] = {
        "code.function.name": record.funcName,
        "code.file.path": record.filename,
        "code.line.number": record.lineno,
        **{key: value for key, value in vars(record).items() if key not in _PLAIN},
    }
    if isinstance(record.msg, str) and _stands_in_code(record):
        found[TEMPLATE] = record.msg
    made: dict[str, Any] = {"timeUnixNano": str(int(record.created * 1e9)), "severityNumber": _severity(record.levelno)}
    if level == "full":
        made["body"] = {"stringValue": redact(record.getMessage())}
    error = record.exc_info[1] if record.exc_info else None
    made["attributes"] = [*_attributes(found, level), *_error(error, level)]
    inside = spans.current()
    return {**made, "traceId": inside.trace_id, "spanId": inside.span_id} if inside else made


def _stands_in_code(record: logging.LogRecord) -> bool:
    """Whether the message is a constant of the code that logged it: then nothing was filled in yet."""
    frame = sys._getframe()  # noqa: SLF001 - the only way to the caller's code
    for _ in range(_DEEP):
        code = frame.f_code
        if (code.co_filename, code.co_name) == (record.pathname, record.funcName):
            return any(type(each) is str and each == record.msg for each in code.co_consts)
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False


def _severity(levelno: int) -> int:
    for bound, number in ((logging.CRITICAL, 21), (logging.ERROR, 17), (logging.WARNING, 13), (logging.INFO, 9)):
        if levelno >= bound:
            return number
    return 5


def _span(ended: Mapping[str, Any], level: Level) -> dict[str, Any]:
    trace, parent, error = ended["trace"], ended["parent"], ended["error"]
    given = {**ended["attributes"], **({TEMPLATE: ended["name"]} if ended["name"] else {})}
    made: dict[str, Any] = {
        "traceId": trace.trace_id,
        "spanId": trace.span_id,
        "name": ended["name"] or ended["kind"],
        "kind": _KINDS[ended["kind"]],
        "startTimeUnixNano": str(ended["begun"]),
        "endTimeUnixNano": str(ended["ended"]),
        "attributes": _attributes(given, level),
    }
    if parent:
        made["parentSpanId"] = parent.span_id
    if error is not None or ended["failed"]:
        made["status"] = {"code": _ERROR}
    if error is not None:
        event = {"timeUnixNano": str(ended["ended"]), "name": "exception", "attributes": _error(error, level)}
        made["events"] = [event]
    return made


def _error(error: BaseException | None, level: Level) -> list[dict[str, Any]]:
    if error is None:
        return []
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    found = {"exception.type": name, FRAMES: frames.of_traceback(error.__traceback__)}
    return _attributes(found, level) + (
        _attributes({"exception.message": str(error)}, level) if level == "full" else []
    )


def _attributes(given: Mapping[str, object], level: Level) -> list[dict[str, Any]]:
    """Attributes as OTLP's JSON has them, as far as the level lets them."""
    found = {}
    for key, value in given.items():
        kept = keys.allowed(key, value)
        if kept is None and level == "full":
            kept = "***" if SECRET_NAME.search(key) else redact(str(value))
        if kept is not None:
            found[redact(key)] = kept
    return [{"key": key, "value": wrapped(value)} for key, value in found.items()]


def wrapped(value: keys.Value) -> dict[str, Any]:
    """A value as OTLP's JSON has it."""
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case list():
            return {"arrayValue": {"values": [{"stringValue": each} for each in value]}}


def _point(instrument: Mapping[str, Any], attributes: Mapping[str, keys.Value]) -> dict[str, Any]:
    bounds = list(instrument.get("bounds", ()))
    point = {**instrument, "bounds": bounds, "attributes": dict(attributes), "begun": str(time.time_ns()), "sum": 0.0}
    return {**point, "count": 0, "buckets": [0] * (len(bounds) + 1)}


def _count(point: dict[str, Any], value: float) -> None:
    point["sum"] += value
    point["count"] += 1
    point["buckets"][sum(bound < value for bound in point["bounds"])] += 1
