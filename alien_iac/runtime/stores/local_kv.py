"""A Kv on `local`: `localkv.sqlite`, which several processes of one machine share.

The public `alienplatform` SDK reads and writes the same file, though not while one of ours has it open: its SQLite
keeps its processes apart in a way of its own.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alien_iac.errors import BindingInvalid, Unavailable
from alien_iac.protocol import stores
from alien_iac.protocol.bindings import LocalKv
from alien_iac.runtime.stores.kv import KEY, KvEntry, KvPage, bad_cursor
from alien_iac.runtime.stores.parsing import parse

_SWEEP_SECONDS = 60.0


class SqliteKv:
    """One file, one connection, one operation at a time; other processes are kept apart by SQLite."""

    def __init__(self, folder: Path, resource_id: str, clock: Callable[[], float] = time.time) -> None:
        self._id = resource_id
        self._clock = clock
        self._lock = threading.Lock()
        self._swept = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / stores.KV_FILE, check_same_thread=False, isolation_level=None)
        self.close = weakref.finalize(self, self._db.close)
        with self._translated():
            for pragma in stores.PRAGMAS:
                self._db.execute(pragma)
            self._db.executescript(stores.KV_DDL)
            (found,) = self._db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
        if found != stores.KV_FORMAT:
            raise BindingInvalid(
                f'kv "{resource_id}": its file has the format "{found}"; this reads {stores.KV_FORMAT}'
            )

    def get(self, key: str) -> KvEntry | None:
        with self._translated():
            row = self._db.execute(
                "SELECT key, value, version FROM kv WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)",
                (key, self._now()),
            ).fetchone()
        return _entry(row) if row else None

    def put(
        self, key: str, value: bytes, ttl_seconds: float | None, *, if_absent: bool, if_version: str | None
    ) -> bool:
        now = self._now()
        expires = None if ttl_seconds is None else now + max(1, round(ttl_seconds * 1000))
        with self._translated(), self._transaction():
            self._sweep(now)
            there = self._version(key, now)
            if (if_absent and there is not None) or (if_version is not None and there != if_version):
                return False
            self._db.execute(
                "INSERT OR REPLACE INTO kv (key, value, expires_at, version) VALUES (?, ?, ?, ?)",
                (key, value, expires, uuid.uuid4().hex),
            )
        return True

    def delete(self, key: str, if_version: str | None) -> bool:
        with self._translated(), self._transaction():
            there = self._version(key, self._now())
            if there is None or (if_version is not None and there != if_version):
                return False
            self._db.execute("DELETE FROM kv WHERE key = ?", (key,))
        return True

    def scan(self, prefix: str, limit: int, cursor: str | None) -> KvPage:
        if cursor is not None and not KEY.fullmatch(cursor):
            raise bad_cursor(self._id)
        with self._translated():
            rows = self._db.execute(
                "SELECT key, value, version FROM kv WHERE key >= ? AND key < ? AND key > ?"
                " AND (expires_at IS NULL OR expires_at > ?) ORDER BY key LIMIT ?",
                # Keys are ASCII below DEL, so this is the end of the prefix.
                (prefix, prefix + "\x7f", cursor or "", self._now(), limit + 1),
            ).fetchall()
        items = tuple(map(_entry, rows[:limit]))
        return KvPage(items, items[-1].key if len(rows) > limit else None)

    def _now(self) -> int:
        return round(self._clock() * 1000)

    def _version(self, key: str, now: int) -> str | None:
        row = self._db.execute(
            "SELECT version FROM kv WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)", (key, now)
        ).fetchone()
        return row and str(row[0])

    def _sweep(self, now: int) -> None:
        """Remove what expired, now and then."""
        if now - self._swept > _SWEEP_SECONDS * 1000:
            self._swept = now
            self._db.execute("DELETE FROM kv WHERE expires_at <= ?", (now,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; from its first read nobody else writes."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise Unavailable(f'kv "{self._id}": its file cannot be used: {error}') from error


def _entry(row: tuple[str, bytes | str, str]) -> KvEntry:
    key, value, version = row
    return KvEntry(key, value.encode() if isinstance(value, str) else bytes(value), version)


def connect(raw: dict[str, Any], resource_id: str) -> SqliteKv:
    """The file in the folder that a binding names; made where it is missing."""
    return SqliteKv(Path(parse(LocalKv, raw, resource_id).data_dir), resource_id)
