"""What the processes of `local` print, at level `full` alone: their log files, line by line, redacted like all text.

A line that is a JSON object keeps its level, time and template. Lines that were written at a stricter level stay here.
"""

import json
import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from alien_iac.agent.outbox import Arrival, Outbox
from alien_iac.plugin import logs
from alien_iac.protocol.telemetry import otlp
from alien_iac.protocol.telemetry.levels import TEMPLATE, Level
from alien_iac.protocol.telemetry.screen import screen
from alien_iac.protocol.telemetry.stamp import SERVICE, WORKLOAD, stamp

CHUNK = 256 * 1024
_LONGEST = 16 * 1024
_RUNTIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ alien ")
"""Lines of our own runtime, which sends them itself."""
_SEVERITY = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "warning": 13, "error": 17, "critical": 21, "fatal": 21}
_TEXTS = ("message", "msg", "event", "body")
_LEVELS = ("level", "severity", "levelname", "log.level")
_TIMES = ("timestamp", "time", "@timestamp", "ts")


class Tails:
    """The log files of a deployment's workloads. How far each was read is kept with what was read."""

    def __init__(self, root: Path, outbox: Outbox, level: Callable[[], Level]) -> None:
        self._root = root
        self._outbox = outbox
        self._level = level

    def look(self, workloads: Iterable[str]) -> int:
        """Take the new lines of each; how many there were."""
        level = self._level()
        return sum(self._look(workload, level) for workload in workloads)

    def _look(self, workload: str, level: Level) -> int:
        path = logs.place(self._root, workload)
        if not path.is_file():
            return 0
        node, offset = self._place(workload)
        size, newest = path.stat().st_size, path.stat().st_ino
        if level != "full" or node == 0:
            if (node, offset) != (newest, size):
                self._outbox.put(None, _fact(workload, newest, size))
            return 0
        if node != newest:
            return self._old(workload, path, node, offset) + self._new(workload, path, newest, 0)
        return self._new(workload, path, newest, min(offset, size))

    def _old(self, workload: str, path: Path, node: int, offset: int) -> int:
        """The rest of a file that was rotated since."""
        before = path.with_name(f"{path.name}.1")
        if before.is_file() and before.stat().st_ino == node:
            return self._new(workload, before, node, offset)
        self._outbox.lose("logs", "old", 1)  # at least a line: it was rotated away unread
        return 0

    def _new(self, workload: str, path: Path, node: int, offset: int) -> int:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(CHUNK)
        whole, _, rest = data.rpartition(b"\n")
        if not whole and len(rest) < _LONGEST:
            self._outbox.put(None, _fact(workload, node, offset))
            return 0
        used = len(whole) + 1 if whole or data.startswith(b"\n") else len(rest)
        lines = [line for line in (whole or rest).decode(errors="replace").splitlines() if not _RUNTIME.match(line)]
        self._keep(workload, [line for line in lines if line.strip()], _fact(workload, node, offset + used))
        return len(lines)

    def _keep(self, workload: str, lines: list[str], fact: tuple[str, str]) -> None:
        records = [_record(line[:_LONGEST]) for line in lines]
        told = {"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {"name": "stdout"}, "logRecords": records}]}]}
        request = otlp.read("logs", json.dumps(told).encode(), otlp.JSON, limit=32 * CHUNK)
        screened = screen("logs", request, "full")
        stamp(screened.request, [{SERVICE: workload, WORKLOAD: workload}])
        body = otlp.written(screened.request)
        self._outbox.put(Arrival(signal="logs", level="full", items=screened.kept, body=body), fact)

    def _place(self, workload: str) -> tuple[int, int]:
        node, _, offset = self._outbox.fact(f"tail {workload}").partition(" ")
        return (int(node), int(offset)) if offset else (0, 0)


def _fact(workload: str, node: int, offset: int) -> tuple[str, str]:
    return f"tail {workload}", f"{node} {offset}"


def _record(line: str) -> dict[str, Any]:
    """A line as OTLP's JSON."""
    now = str(time.time_ns())
    told = _parsed(line)
    if told is None:
        return {"timeUnixNano": now, "observedTimeUnixNano": now, "severityNumber": 0, "body": {"stringValue": line}}
    text = next((str(told[key]) for key in _TEXTS if key in told), line)
    level = next((str(told[key]).lower() for key in _LEVELS if key in told), "")
    template = told.get("template", told.get("message_template"))
    rest = {key: value for key, value in told.items() if key not in {*_TEXTS, *_LEVELS, *_TIMES, "template"}}
    attributes = {**rest, **({TEMPLATE: template} if isinstance(template, str) else {})}
    return {
        "timeUnixNano": _instant(told) or now,
        "observedTimeUnixNano": now,
        "severityNumber": _SEVERITY.get(level, 0),
        "body": {"stringValue": text},
        "attributes": [{"key": str(key), "value": {"stringValue": _text(value)}} for key, value in attributes.items()],
    }


def _parsed(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _instant(told: dict[str, Any]) -> str:
    found = next((told[key] for key in _TIMES if key in told), None)
    try:
        return str(int(datetime.fromisoformat(str(found)).timestamp() * 1e9)) if found else ""
    except (ValueError, OverflowError):
        return ""
