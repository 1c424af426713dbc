"""What was recorded and not delivered yet: one SQLite file, or memory where nothing outlives the process.

Each item is in the file before the call that recorded it returns, so that a kill loses none. Nothing waits for the
disk: a power cut may take the last moments. It is bounded, and what is dropped is counted in the same transaction.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alien_iac.protocol.telemetry.levels import Level, Signal
from alien_iac.runtime.telemetry.counted import Counted

MOST_BYTES = 16 << 20
MOST_SERIES = 2_000
"""Points of all metrics together; a new one beyond that is lost, and counted."""
_FILE = "telemetry.sqlite"
_SPARE = 0.1
"""Of the most bytes: what is dropped at once when they are reached."""
_DDL = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA busy_timeout = 5000;
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY AUTOINCREMENT, signal TEXT NOT NULL, scope TEXT NOT NULL, level TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS points (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""
_ALL = 2**62
_OLDEST = "SELECT number, scope, level, body FROM items WHERE signal = ? AND number <= ? ORDER BY number LIMIT 2000"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Items of one signal, in the order in which they were recorded. The same `id` means the same items."""

    id: str
    signal: Signal
    first: int
    last: int
    items: tuple[tuple[str, Level, str], ...]
    """Scope, the level it was recorded at, and the item as OTLP's JSON."""


class Buffer(Counted):
    """For any thread. `folder` is None where the process has none that outlives it."""

    def __init__(self, folder: Path | None, *, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / _FILE).touch(mode=0o600)
        super().__init__(str(folder / _FILE) if folder is not None else ":memory:", _DDL)
        (self._size,) = self._db.execute("SELECT coalesce(sum(length(body)), 0) FROM items").fetchone()
        self.id = self.fact("id") or self._begin()

    def put(self, signal: Signal, scope: str, level: Level, item: Mapping[str, Any]) -> None:
        """Keep an item. Where there is no room, the oldest go."""
        body = json.dumps(item, separators=(",", ":"))
        with self._transaction():
            self._db.execute(
                "INSERT INTO items (signal, scope, level, body) VALUES (?, ?, ?, ?)", (signal, scope, level, body)
            )
            self._size += len(body)
            if self._size > self._most:
                self._shrink()

    def batch(self, signal: Signal, most_bytes: int) -> Batch | None:
        """The oldest items of a signal. The same ones again until they are `done`."""
        with self._transaction():
            rows = self._db.execute(_OLDEST, (signal, int(self.fact(f"open {signal}") or _ALL))).fetchall()
            if not rows:  # all of an open batch was dropped meanwhile
                rows = self._db.execute(_OLDEST, (signal, _ALL)).fetchall()
            taken: list[tuple[int, str, Level, str]] = []
            size = 0
            for row in rows:
                size += len(row[3])
                if taken and size > most_bytes:
                    break
                taken.append(row)
            if not taken:
                return None
            first, last = taken[0][0], taken[-1][0]
            self.keep_fact(f"open {signal}", str(last))
        items = tuple((scope, level, body) for _, scope, level, body in taken)
        return Batch(id=f"{self.id}-{signal}-{last}", signal=signal, first=first, last=last, items=items)

    def done(self, batch: Batch, lost: Mapping[str, int]) -> None:
        """The batch need not be sent again; `lost` says how many of it were not delivered, and why."""
        with self._transaction():
            range_ = (batch.signal, batch.last)
            (size,) = self._db.execute(
                "SELECT coalesce(sum(length(body)), 0) FROM items WHERE signal = ? AND number <= ?", range_
            ).fetchone()
            self._db.execute("DELETE FROM items WHERE signal = ? AND number <= ?", range_)
            self._db.execute("DELETE FROM facts WHERE name = ?", (f"open {batch.signal}",))
            self._size -= size
            for reason, count in lost.items():
                self.lose(batch.signal, reason, count)

    def points(self) -> dict[str, dict[str, Any]]:
        """The points of all metrics, by their key."""
        with self._lock:
            return {key: json.loads(body) for key, body in self._db.execute("SELECT key, body FROM points")}

    def keep_point(self, key: str, point: Mapping[str, Any]) -> None:
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO points VALUES (?, ?)", (key, json.dumps(point)))

    def _begin(self) -> str:
        made = uuid.uuid4().hex
        self.keep_fact("id", made)
        return made

    def _shrink(self) -> None:
        goal, freed = self._size - int(self._most * (1 - _SPARE)), 0
        for number, signal, size in self._db.execute(
            "SELECT number, signal, length(body) FROM items ORDER BY number"
        ).fetchall():
            if freed >= goal:
                break
            self._db.execute("DELETE FROM items WHERE number = ?", (number,))
            self.lose(signal, "full")
            freed += size
        self._size -= freed
