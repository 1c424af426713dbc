"""The text of an update as the CLI prints it without a terminal: lines of progress, diagnostics, outputs, a summary."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from alien_iac.engine import urns
from alien_iac.engine.events import Event
from alien_iac.engine.model import UNKNOWN, Kind

_WORDS = {
    "same": (" ", "", ""),
    "create": ("+", "creating", "created"),
    "delete": ("-", "deleting", "deleted"),
    "update": ("~", "updating", "updated"),
    "replace": ("+-", "replacing", "replaced"),
    "create-replacement": ("++", "creating replacement", "created replacement"),
    "delete-replaced": ("--", "deleting original", "deleted original"),
    "read": (">", "reading", "read"),
    "read-replacement": (">>", "reading for replacement", "read for replacement"),
    "refresh": ("~", "refreshing", "refresh"),
    "discard": ("<", "discarding", "discarded"),
    "discard-replaced": ("<<", "discarding original", "discarded original"),
    "remove-pending-replace": ("~", "", ""),
}
"""Each operation's mark, and how it is called while it runs and once it is done."""

_TITLES = {"update": "Updating", "preview": "Previewing update", "refresh": "Refreshing", "destroy": "Destroying"}
_LATE = {"update": "updating", "preview": "previewing update", "refresh": "refreshing", "destroy": "destroying"}


@dataclass
class _Row:
    """One resource's line."""

    op: str
    begun: float
    said: list[str] = field(default_factory=list)
    shown: str = ""
    failed: bool = False
    done: bool = False


class Display:
    """A listener of events that prints lines."""

    def __init__(self, out: Callable[[str], None], kind: Kind, stack: str, *, dry: bool) -> None:
        self._out, self._kind, self._stack, self._dry = out, kind, stack, dry
        self._rows: dict[str, _Row] = {}
        self._root = ""
        self._outputs: dict[str, Any] = {}
        self._early: list[str] = []
        self._begun = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Print what one event says."""
        for kind, show in (
            ("preludeEvent", self._prelude),
            ("resourcePreEvent", self._pre),
            ("resOutputsEvent", self._done),
            ("resOpFailedEvent", self._failed),
            ("diagnosticEvent", self._diagnostic),
            ("summaryEvent", self._summary),
        ):
            if kind in event:
                show(event[kind])

    def _prelude(self, body: Event) -> None:  # noqa: ARG002 (it has only the config)
        self._out(f"{_TITLES[self._kind]} ({self._stack}):\n")

    def _pre(self, body: Event) -> None:
        meta = body["metadata"]
        if urns.is_default_provider(meta["urn"]):
            return
        if meta["type"] == urns.ROOT:
            self._root = meta["urn"]
        old = self._rows.get(meta["urn"])
        self._rows[meta["urn"]] = _Row(meta["op"], time.monotonic(), old.said if old else [])
        if meta["type"] == urns.ROOT:
            self._rows[meta["urn"]].said += self._early
            self._early.clear()
        if meta["op"] != "same":
            self._line(meta["urn"], meta["op"] if self._dry else f"{_WORDS[meta['op']][1]} (0s)")

    def _done(self, body: Event) -> None:
        meta = body["metadata"]
        row = self._rows.get(meta["urn"])
        if row is None:
            return
        row.op, row.done = meta["op"], True
        if meta["type"] == urns.ROOT:
            self._outputs = (meta["new"] or {}).get("outputs") or {}
        elif meta["op"] != "same" and not self._dry:
            self._line(meta["urn"], f"{_WORDS[row.op][2]} ({time.monotonic() - row.begun:.2f}s)")

    def _failed(self, body: Event) -> None:
        row = self._rows.get(body["metadata"]["urn"])
        if row is not None:
            row.failed = row.done = True
            self._line(body["metadata"]["urn"], f"**{_WORDS[row.op][1]} failed**")

    def _diagnostic(self, body: Event) -> None:
        text = f"{body['prefix']}{body['message']}".rstrip("\n")
        if body["ephemeral"] or not text:
            return
        row = self._rows.get(body["urn"] or self._root)
        if row is None:
            self._early.append(text)
            return
        row.said.append(text)
        self._line(body["urn"] or self._root, f"{_WORDS[row.op][1]} {text.splitlines()[0]}")

    def _line(self, urn: str, what: str) -> None:
        row = self._rows[urn]
        line = f" {_WORDS[row.op][0]:<2} {urns.type_of(urn)} {urns.name_of(urn)} {what}".rstrip()
        if line != row.shown:
            row.shown = line
            self._out(line)

    def _summary(self, body: Event) -> None:
        self._out(f"@ {_LATE[self._kind]}........")
        if self._root and self._rows[self._root].op != "same":
            self._line(self._root, self._rows[self._root].op if self._dry else _WORDS[self._rows[self._root].op][2])
        self._diagnostics()
        if self._outputs and self._kind != "destroy":
            self._out("Outputs:")
            width = max(map(len, self._outputs))
            for key, value in sorted(self._outputs.items()):
                self._out(f"    {key:<{width}}: {_shown(value)}")
            self._out("")
        self._changes(body["resourceChanges"])
        if not self._dry:
            self._out(f"\nDuration: {max(1, math.ceil(time.monotonic() - self._begun))}s\n")

    def _diagnostics(self) -> None:
        told = {self._root: list(self._early)} if self._early else {}
        for urn, row in self._rows.items():
            if row.said:
                told.setdefault(urn, []).extend(row.said)
        if told:
            self._out("Diagnostics:")
        for urn, said in told.items():
            kind, name = (urns.type_of(urn), urns.name_of(urn)) if urn else (urns.ROOT, self._stack)
            self._out(f"  {kind} ({name}):")
            for text in said:
                for line in text.splitlines():
                    self._out(f"    {line}")
            self._out("")

    def _changes(self, changes: dict[str, int]) -> None:
        self._out("Resources:")
        real = [op for op in _WORDS if op not in ("same", "read", "discard", "read-replacement") and changes.get(op)]
        for op in real:
            what = f"to {op}" if self._dry else _WORDS[op][2]
            self._out(f"    {_WORDS[op][0]:<1} {changes[op]} {what}")
        total = [f"{sum(changes[op] for op in real)} changes"] if len(real) > 1 else []
        same = [f"{changes['same']} unchanged"] if changes.get("same") else []
        if total or same:
            self._out(f"    {'. '.join(total + same)}")
        errored = sum(row.failed for row in self._rows.values())
        if errored:
            self._out(f"    {errored} errored")


def _shown(value: object) -> str:
    """A stack output as one line."""
    if value == "[secret]":
        return "[secret]"
    if value == UNKNOWN:
        return "[unknown]"
    return f'"{value}"' if isinstance(value, str) else str(value)
