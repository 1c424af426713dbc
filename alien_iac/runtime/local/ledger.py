"""What a Function on `local` must not forget between two runs of its process: last instants, and created objects.

One SQLite file in the workload's state folder, which outlives restarts and releases.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alien_iac.errors import Unavailable
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.protocol import stores

_FILE = "events.sqlite"
_DDL = """
CREATE TABLE IF NOT EXISTS instants (
    cron TEXT NOT NULL, timezone TEXT NOT NULL, last TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (cron, timezone)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS storages (storage TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    storage TEXT NOT NULL, key TEXT NOT NULL, e_tag TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'given up')), attempts INTEGER NOT NULL DEFAULT 0,
    UNIQUE (storage, key)
) STRICT;
CREATE INDEX IF NOT EXISTS objects_waiting ON objects (storage, seq) WHERE state = 'waiting';
"""


@dataclass(frozen=True, kw_only=True)
class Created:
    """An object that a handler has yet to be told of. `attempts` were begun so far."""

    seq: int
    key: str
    e_tag: str
    attempts: int


class Ledger:
    """Every method is one durable transaction."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(state_dir / _FILE, check_same_thread=False)
        with self._used():
            for pragma in stores.PRAGMAS:
                self._db.execute(pragma)
            self._db.executescript(_DDL)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # Schedules

    def last_instant(self, trigger: ScheduleTrigger, now: datetime) -> datetime:
        """The newest instant that is dealt with. A schedule that is new begins now: nothing before it was missed."""
        with self._used():
            self._db.execute(
                "INSERT OR IGNORE INTO instants (cron, timezone, last) VALUES (?, ?, ?)",
                (trigger.cron, trigger.timezone, now.isoformat()),
            )
            (last,) = self._db.execute(
                "SELECT last FROM instants WHERE cron = ? AND timezone = ?", (trigger.cron, trigger.timezone)
            ).fetchone()
        return datetime.fromisoformat(last)

    def begin_instant(self, trigger: ScheduleTrigger) -> int:
        """The number of the attempt that begins now: also one that never ended is counted."""
        with self._used():
            (attempts,) = self._db.execute(
                "UPDATE instants SET attempts = attempts + 1 WHERE cron = ? AND timezone = ? RETURNING attempts",
                (trigger.cron, trigger.timezone),
            ).fetchone()
        return int(attempts)

    def end_instant(self, trigger: ScheduleTrigger, instant: datetime) -> None:
        """The instant is dealt with."""
        with self._used():
            self._db.execute(
                "UPDATE instants SET last = ?, attempts = 0 WHERE cron = ? AND timezone = ?",
                (instant.isoformat(), trigger.cron, trigger.timezone),
            )

    # Created objects

    def is_known(self, storage: str) -> bool:
        with self._used():
            return self._db.execute("SELECT 1 FROM storages WHERE storage = ?", (storage,)).fetchone() is not None

    def begin_storage(self, storage: str, objects: Iterable[tuple[str, str]]) -> None:
        """Watch a storage from now on; what (key, e_tag) is in it already is no news."""
        with self._used():
            self._db.execute("INSERT OR IGNORE INTO storages (storage) VALUES (?)", (storage,))
            self._db.executemany(
                "INSERT OR IGNORE INTO objects (storage, key, e_tag, state) VALUES (?, ?, ?, 'done')",
                [(storage, key, e_tag) for key, e_tag in objects],
            )

    def note(self, storage: str, objects: Iterable[tuple[str, str]]) -> int:
        """Note objects (key, e_tag) as they are now. The number of those that are new, or have new content."""
        with self._used():
            before = self._db.total_changes
            self._db.executemany(
                "INSERT INTO objects (storage, key, e_tag, state) VALUES (?, ?, ?, 'waiting')"
                " ON CONFLICT (storage, key) DO UPDATE SET e_tag = excluded.e_tag, state = 'waiting', attempts = 0"
                " WHERE e_tag != excluded.e_tag",
                [(storage, key, e_tag) for key, e_tag in objects],
            )
            return self._db.total_changes - before

    def keys(self, storage: str) -> set[str]:
        with self._used():
            return {key for (key,) in self._db.execute("SELECT key FROM objects WHERE storage = ?", (storage,))}

    def forget(self, storage: str, keys: Iterable[str]) -> None:
        """These objects are gone; the same keys again are news."""
        with self._used():
            self._db.executemany("DELETE FROM objects WHERE storage = ? AND key = ?", [(storage, key) for key in keys])

    def waiting(self, storage: str, most: int) -> list[Created]:
        """What the handler has yet to be told of, oldest first."""
        with self._used():
            rows = self._db.execute(
                "SELECT seq, key, e_tag, attempts FROM objects WHERE storage = ? AND state = 'waiting' ORDER BY seq"
                " LIMIT ?",
                (storage, most),
            ).fetchall()
        return [Created(seq=seq, key=key, e_tag=e_tag, attempts=attempts) for seq, key, e_tag, attempts in rows]

    def begin_object(self, created: Created) -> int:
        """The number of the attempt that begins now: also one that never ended is counted."""
        with self._used():
            self._db.execute(
                "UPDATE objects SET attempts = attempts + 1 WHERE seq = ? AND e_tag = ?", (created.seq, created.e_tag)
            )
        return created.attempts + 1

    def end_object(self, created: Created, *, given_up: bool) -> None:
        """The handler was told. Content that came meanwhile still waits."""
        with self._used():
            self._db.execute(
                "UPDATE objects SET state = ? WHERE seq = ? AND e_tag = ?",
                ("given up" if given_up else "done", created.seq, created.e_tag),
            )

    @contextmanager
    def _used(self) -> Iterator[None]:
        with self._lock:
            try:
                with self._db:
                    yield
            except sqlite3.Error as error:
                raise Unavailable(f"the workload's ledger of events cannot be used: {error}") from error
