"""A store of rollouts on one SQLite file: small, durable, and with the desired releases that agents would read."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from alien_iac.errors import Conflict, NotFound
from alien_iac.rollout.events import Effect, Return, Seen, SetDesired
from alien_iac.rollout.state import Header, State, Target
from alien_iac.rollout.store import Pending, Stored, Write

_EFFECT: TypeAdapter[Effect] = TypeAdapter(Effect)

_TABLES = """
CREATE TABLE IF NOT EXISTS rollouts (id TEXT PRIMARY KEY, version INTEGER, header TEXT, ended INTEGER, n INTEGER);
CREATE TABLE IF NOT EXISTS targets (rollout TEXT, deployment TEXT, n INTEGER, body TEXT,
                                    PRIMARY KEY (rollout, deployment));
CREATE TABLE IF NOT EXISTS audit (n INTEGER PRIMARY KEY AUTOINCREMENT, rollout TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS outbox (sequence INTEGER PRIMARY KEY AUTOINCREMENT, rollout TEXT, body TEXT, done INTEGER);
CREATE TABLE IF NOT EXISTS desired (deployment TEXT PRIMARY KEY, revision INTEGER, release TEXT, action TEXT,
                                    rollout TEXT, sequence INTEGER);
CREATE TABLE IF NOT EXISTS writes (n INTEGER PRIMARY KEY AUTOINCREMENT, deployment TEXT, release TEXT, action TEXT);
CREATE TABLE IF NOT EXISTS seen (deployment TEXT PRIMARY KEY, body TEXT);
CREATE TABLE IF NOT EXISTS notes (n INTEGER PRIMARY KEY AUTOINCREMENT, rollout TEXT, subject TEXT, message TEXT);
"""


class SqliteStore:
    """One connection behind one lock: every method is a transaction."""

    def __init__(self, path: Path | str, *, synchronous: str = "FULL") -> None:
        self._database = sqlite3.connect(path, check_same_thread=False, timeout=30)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(f"PRAGMA synchronous={synchronous}")
        self._database.executescript(_TABLES)
        self._lock = threading.Lock()

    def close(self) -> None:
        self._database.close()

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def version(self, rollout_id: str) -> int:
        found = self.rows("SELECT version FROM rollouts WHERE id = ?", rollout_id)
        if not found:
            raise NotFound(f"there is no rollout {rollout_id}")
        return int(str(found[0][0]))

    def load(self, rollout_id: str) -> Stored:
        with self._lock:
            row = self._database.execute("SELECT version, header FROM rollouts WHERE id = ?", (rollout_id,)).fetchone()
            if row is None:
                raise NotFound(f"there is no rollout {rollout_id}")
            sql = "SELECT body FROM targets WHERE rollout = ? ORDER BY n"
            bodies = self._database.execute(sql, (rollout_id,)).fetchall()
        targets = [Target.model_validate_json(body) for (body,) in bodies]
        return Stored(state=State.of(Header.model_validate_json(row[1]), targets), version=row[0])

    def commit(self, writes: Sequence[Write]) -> None:
        with self._lock, self._database:
            for write in writes:
                self._write(write)

    def _write(self, write: Write) -> None:
        header, key = write.change.header, write.rollout_id
        if write.expected_version == 0:
            made = self._database.execute(
                "INSERT OR IGNORE INTO rollouts VALUES (?, 1, ?, 0, (SELECT count(*) FROM rollouts))",
                (key, header.model_dump_json()),
            )
        else:
            made = self._database.execute(
                "UPDATE rollouts SET version = version + 1, header = ?, ended = ? WHERE id = ? AND version = ?",
                (header.model_dump_json(), header.outcome is not None, key, write.expected_version),
            )
        if made.rowcount != 1:
            raise Conflict(f"rollout {key} is not at version {write.expected_version}")
        self._database.executemany(
            "INSERT INTO targets VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
            [(key, each.deployment_id, n, each.model_dump_json()) for n, each in enumerate(write.change.targets)],
        )
        audit = write.change.audit.model_dump_json()
        self._database.execute("INSERT INTO audit (rollout, body) VALUES (?, ?)", (key, audit))
        self._database.executemany(
            "INSERT INTO outbox (rollout, body, done) VALUES (?, ?, 0)",
            [(key, effect.model_dump_json()) for effect in write.change.effects],
        )

    def running(self) -> Sequence[str]:
        return [str(key) for (key,) in self.rows("SELECT id FROM rollouts WHERE NOT ended ORDER BY n")]

    def overtaken_by(self, rollout_id: str) -> str | None:
        found = self.rows(
            "SELECT r.id FROM rollouts r JOIN targets t ON t.rollout = r.id WHERE r.n > (SELECT n FROM rollouts WHERE"
            " id = ?) AND t.deployment IN (SELECT deployment FROM targets WHERE rollout = ?) ORDER BY r.n DESC LIMIT 1",
            rollout_id,
            rollout_id,
        )
        return str(found[0][0]) if found else None

    def pending(self, limit: int) -> Sequence[Pending]:
        rows = self.rows("SELECT sequence, rollout, body FROM outbox WHERE NOT done ORDER BY sequence LIMIT ?", limit)
        return [
            Pending(
                id=f"effect-{sequence}",
                sequence=int(str(sequence)),
                rollout_id=str(key),
                effect=_EFFECT.validate_json(str(body)),
            )
            for sequence, key, body in rows
        ]

    def done(self, effect_ids: Sequence[str]) -> None:
        with self._lock, self._database:
            self._database.executemany(
                "UPDATE outbox SET done = 1 WHERE sequence = ?",
                [(int(key.removeprefix("effect-")),) for key in effect_ids],
            )

    def set_desired(self, effects: Sequence[tuple[Pending, SetDesired | Return]]) -> None:
        with self._lock, self._database:
            for pending, effect in effects:
                action = "return" if isinstance(effect, Return) else "apply"
                written = self._database.execute(
                    "INSERT INTO desired VALUES (?, 1, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET revision = revision + 1,"
                    " release = excluded.release, action = excluded.action, rollout = excluded.rollout,"
                    " sequence = excluded.sequence WHERE excluded.sequence > sequence",
                    (effect.deployment_id, effect.release, action, pending.rollout_id, pending.sequence),
                )
                if written.rowcount:
                    self._database.execute(
                        "INSERT INTO writes (deployment, release, action) VALUES (?, ?, ?)",
                        (effect.deployment_id, effect.release, action),
                    )

    def desired(self, deployment_id: str) -> tuple[object, ...] | None:
        """Revision, release, action, rollout."""
        sql = "SELECT revision, release, action, rollout FROM desired WHERE deployment = ?"
        return next(iter(self.rows(sql, deployment_id)), None)

    def hear(self, sign: Seen) -> None:
        with self._lock, self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO seen VALUES (?, ?)", (sign.deployment_id, sign.model_dump_json())
            )

    def seen(self, deployment_ids: Iterable[str]) -> Sequence[Seen]:
        wanted = json.dumps(list(deployment_ids))
        rows = self.rows("SELECT body FROM seen WHERE deployment IN (SELECT value FROM json_each(?))", wanted)
        return [Seen.model_validate_json(str(body)) for (body,) in rows]

    def note(self, rollout_id: str, subject: str, message: str) -> None:
        with self._lock, self._database:
            self._database.execute(
                "INSERT INTO notes (rollout, subject, message) VALUES (?, ?, ?)", (rollout_id, subject, message)
            )
