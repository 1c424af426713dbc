"""One queue's file: visibility timeouts, attempts, dead letters, retention. Every method is one durable transaction."""

from __future__ import annotations

import hmac
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alien_iac.errors import Conflict, Unavailable
from alien_iac.protocol import stores
from alien_iac.runtime.work import Payload

DEAD_LETTER_SECONDS = 14 * 86_400
"""How long a dead letter is kept, as long as the longest of the clouds' queues would."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The file's `meta` table. The plugin may change it at any time."""

    visibility_ms: int
    max_receives: int
    retention_ms: int
    token_sha256: str


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One message that was received."""

    id: int
    payload: Payload
    attempt: int
    receipt: str


class QueueFile:
    """One connection, one operation at a time. `clock` gives seconds of the Unix clock."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._name = path.stem
        self._clock = clock
        self._lock = threading.Lock()
        # `rw`: a file that the plugin has not made is no queue.
        address = f"{path.absolute().as_uri()}?mode=rw"
        self._db = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
        with self._used():
            for pragma in stores.PRAGMAS:
                self._db.execute(pragma)
            columns = {name for _, name, *_ in self._db.execute("PRAGMA table_info(messages)")}
            if "trace" not in columns:  # the file of an earlier version
                self._db.execute(stores.ADD_TRACE)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def admits(self, token: str) -> bool:
        """True where this is the queue's token."""
        with self._used():
            settings = self._settings()
        return hmac.compare_digest(stores.token_hash(token), settings.token_sha256)

    def send(self, messages: Sequence[Payload]) -> None:
        """Store all of them, or none."""
        now = self._now()
        rows = [("json" if m.is_json else "text", m.text, m.trace, now, now) for m in messages]
        with self._used(), self._transaction():
            self._db.executemany(
                "INSERT INTO messages (payload_type, payload, trace, sent_at, visible_at) VALUES (?, ?, ?, ?, ?)", rows
            )

    def receive(self, most: int) -> list[Taken]:
        """Take the oldest visible messages, and hide them for the visibility timeout."""
        with self._used():
            now = self._now()
            settings = self._settings()
            # An empty queue that somebody waits on costs no write.
            if not self._has_due(now, settings):
                return []
            with self._transaction():
                self._sweep(now, settings)
                return self._take(most, now, settings)

    def ack(self, receipt: str) -> None:
        """Conflict where the receipt is not that of the message's newest receive."""
        self._settle("DELETE FROM messages WHERE receipt = ?", (receipt,))

    def nack(self, receipt: str) -> None:
        """Make the message visible at once. Conflict as in `ack`."""
        self._settle("UPDATE messages SET visible_at = ?, receipt = NULL WHERE receipt = ?", (self._now(), receipt))

    def renew(self, receipt: str, seconds: int) -> None:
        """Hide the message for so long from now. Conflict as in `ack`, or where it is visible again."""
        now = self._now()
        statement = "UPDATE messages SET visible_at = ? WHERE receipt = ? AND visible_at > ?"
        self._settle(statement, (now + seconds * 1000, receipt, now))

    def purge(self) -> None:
        with self._used(), self._transaction():
            self._db.execute("DELETE FROM messages")

    def next_visible_in(self) -> float | None:
        """Seconds until a hidden message is visible again; None where there is none."""
        with self._used():
            (soonest,) = self._db.execute("SELECT min(visible_at) FROM messages").fetchone()
        return None if soonest is None else max(0.0, (soonest - self._now()) / 1000)

    def _now(self) -> int:
        return round(self._clock() * 1000)

    def _settings(self) -> Settings:
        found = dict(self._db.execute("SELECT key, value FROM meta").fetchall())
        try:
            return Settings(
                visibility_ms=int(found["visibility_seconds"]) * 1000,
                max_receives=int(found["max_receives"]),
                retention_ms=int(found["retention_seconds"]) * 1000,
                token_sha256=found["token_sha256"],
            )
        except (KeyError, ValueError) as error:
            raise Unavailable(f'queue "{self._name}": its settings are incomplete') from error

    def _has_due(self, now: int, settings: Settings) -> bool:
        statement = (
            "SELECT EXISTS (SELECT 1 FROM messages WHERE visible_at <= ?),"
            " EXISTS (SELECT 1 FROM messages WHERE sent_at <= ?)"
        )
        return any(self._db.execute(statement, (now, now - settings.retention_ms)).fetchone())

    def _sweep(self, now: int, settings: Settings) -> None:
        """Drop what is too old, and set aside what was received too often."""
        self._db.execute("DELETE FROM messages WHERE sent_at <= ?", (now - settings.retention_ms,))
        self._db.execute("DELETE FROM dead_letters WHERE dead_at <= ?", (now - DEAD_LETTER_SECONDS * 1000,))
        dead = (now, settings.max_receives)
        self._db.execute(
            "INSERT INTO dead_letters (id, payload_type, payload, sent_at, attempts, dead_at)"
            " SELECT id, payload_type, payload, sent_at, attempts, ?1 FROM messages"
            " WHERE visible_at <= ?1 AND attempts >= ?2",
            dead,
        )
        self._db.execute("DELETE FROM messages WHERE visible_at <= ? AND attempts >= ?", dead)

    def _take(self, most: int, now: int, settings: Settings) -> list[Taken]:
        rows = self._db.execute(
            "SELECT id, payload_type, payload, attempts, trace FROM messages WHERE visible_at <= ? ORDER BY id LIMIT ?",
            (now, most),
        ).fetchall()
        taken = [
            Taken(id=i, payload=Payload(text, kind == "json", trace), attempt=attempts + 1, receipt=uuid.uuid4().hex)
            for i, kind, text, attempts, trace in rows
        ]
        self._db.executemany(
            "UPDATE messages SET attempts = ?, visible_at = ?, receipt = ? WHERE id = ?",
            [(t.attempt, now + settings.visibility_ms, t.receipt, t.id) for t in taken],
        )
        return taken

    def _settle(self, statement: str, values: tuple[object, ...]) -> None:
        with self._used(), self._transaction():
            changed = self._db.execute(statement, values).rowcount
        if not changed:
            raise Conflict(
                f'queue "{self._name}": the receipt is no longer good; the message was given out again or is gone'
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _used(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise Unavailable(f'queue "{self._name}": its file cannot be used: {error}') from error
