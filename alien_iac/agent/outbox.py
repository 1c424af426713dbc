"""Telemetry that the workloads handed to the agent and the control plane has not: one bounded SQLite file.

What the agent acknowledged is on the disk. What is dropped for want of room, or with age, is counted in the same
transaction that drops it.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alien_iac.protocol.telemetry.levels import Level, Signal
from alien_iac.runtime.telemetry.counted import Counted

MOST_BYTES = 128 << 20
MOST_AGE_S = 3 * 86_400
KNOWN_S = 86_400
"""How long the ids of batches are remembered."""
_SPARE = 0.1
_DDL = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA busy_timeout = 10000;
CREATE TABLE IF NOT EXISTS parcels (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, at REAL NOT NULL, signal TEXT NOT NULL,
    level TEXT NOT NULL, items INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS known (id TEXT PRIMARY KEY, at REAL NOT NULL) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One request as it waits, in protobuf. It has the same `id` however often it is sent."""

    number: int
    id: str
    signal: Signal
    level: Level
    """The level at which it was let in."""
    items: int
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A request to be kept. `batch`: the id under which its sender may send it again."""

    signal: Signal
    level: Level
    items: int
    body: bytes
    batch: str = ""


class Outbox(Counted):
    """For any thread. `arrived` is called when something new waits."""

    def __init__(
        self,
        path: Path,
        *,
        arrived: Callable[[], object] = lambda: None,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._arrived = arrived
        self._most = most_bytes
        self._clock = clock
        path.touch(mode=0o600)
        super().__init__(str(path), _DDL)
        (self._size,) = self._db.execute("SELECT coalesce(sum(length(body)), 0) FROM parcels").fetchone()

    def put(self, new: Arrival | None, fact: tuple[str, str] | None = None) -> None:
        """Keep a request, durably, and a fact with it. One whose sender's `batch` is known was kept before."""
        with self._transaction():
            if fact:
                self.keep_fact(*fact)
            if new and new.items and not self._is_known(new.batch):
                values = (uuid.uuid4().hex, self._clock(), new.signal, new.level, new.items, new.body)
                self._db.execute(
                    "INSERT INTO parcels (id, at, signal, level, items, body) VALUES (?, ?, ?, ?, ?, ?)", values
                )
                self._size += len(new.body)
                self._shrink()
        if new:
            self._arrived()

    def oldest(self) -> Parcel | None:
        """What has waited longest."""
        with self._lock:
            row = self._db.execute(
                "SELECT number, id, signal, level, items, body FROM parcels ORDER BY number LIMIT 1"
            ).fetchone()
        if row is None:
            return None
        number, id_, signal, level, items, body = row
        return Parcel(number=number, id=id_, signal=signal, level=level, items=items, body=body)

    def done(self, parcel: Parcel, *, lost: int = 0, reason: str = "") -> None:
        """It need not be sent again; so many of its items were not delivered."""
        with self._transaction():
            gone = self._db.execute("DELETE FROM parcels WHERE number = ?", (parcel.number,)).rowcount
            self._size -= len(parcel.body) if gone else 0
            if gone:
                self.lose(parcel.signal, reason, lost)

    def _is_known(self, batch: str) -> bool:
        if not batch:
            return False
        now = self._clock()
        self._db.execute("DELETE FROM known WHERE at < ?", (now - KNOWN_S,))
        return not self._db.execute("INSERT OR IGNORE INTO known VALUES (?, ?)", (batch, now)).rowcount

    def _shrink(self) -> None:
        """Drop what is too old, and where there is no room, the oldest."""
        oldest = self._clock() - MOST_AGE_S
        goal = self._size - int(self._most * (1 - _SPARE)) if self._size > self._most else 0
        rows = self._db.execute("SELECT number, at, signal, items, length(body) FROM parcels ORDER BY number")
        for number, at, signal, items, size in rows.fetchall() if goal or self._has_older(oldest) else ():
            if goal <= 0 and at >= oldest:
                break
            self._db.execute("DELETE FROM parcels WHERE number = ?", (number,))
            self.lose(signal, "old" if at < oldest else "full", items)
            self._size -= size
            goal -= size

    def _has_older(self, than: float) -> bool:
        row = self._db.execute("SELECT at FROM parcels ORDER BY number LIMIT 1").fetchone()
        return row is not None and row[0] < than
