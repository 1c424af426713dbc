"""A SQLite file with things that wait, which knows what it dropped: what a workload's buffer and the agent's share.

What is lost is counted in the transaction that loses it, so a crash between the two is not possible.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from alien_iac.protocol.telemetry.levels import Signal

_DDL = """
CREATE TABLE IF NOT EXISTS lost (
    signal TEXT NOT NULL, reason TEXT NOT NULL, items INTEGER NOT NULL, PRIMARY KEY (signal, reason)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""
_COUNT = "INSERT INTO lost VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET items = items + excluded.items"


class Counted:
    """For any thread. `ddl`: the pragmas, and the tables beside those for losses and facts."""

    def __init__(self, place: str, ddl: str) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(place, check_same_thread=False, isolation_level=None)
        self._db.executescript(ddl + _DDL)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def fact(self, name: str) -> str:
        """What was written under a name; empty for nothing."""
        with self._lock:
            row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def keep_fact(self, name: str, value: str) -> None:
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def lose(self, signal: Signal, reason: str, items: int = 1) -> None:
        """Count what is not kept, or not delivered."""
        if items:
            with self._lock:
                self._db.execute(_COUNT, (signal, reason, items))

    def losses(self) -> list[tuple[Signal, str, int]]:
        """Signal, reason, and how many items so far."""
        with self._lock:
            return self._db.execute("SELECT signal, reason, items FROM lost ORDER BY 1, 2").fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
