"""The agent's durable memory: one SQLite file. A step and its report are written together, and survive a kill."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel

from alien_iac.agent.admission import Standing
from alien_iac.agent.release import Release
from alien_iac.agent.work import End, Final, Work
from alien_iac.errors import InvalidInput
from alien_iac.protocol import arc
from alien_iac.protocol.api import Report
from alien_iac.protocol.outputs import DeploymentOutputs
from alien_iac.protocol.wire import Open

DDL = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA busy_timeout = 10000;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS reports (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS approvals (revision INTEGER PRIMARY KEY, at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS commands (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    lease_id TEXT NOT NULL,
    command_id TEXT NOT NULL,
    command TEXT NOT NULL,
    target TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    ended_at TEXT,
    signer TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS commands_by_outcome ON commands (outcome);
CREATE TABLE IF NOT EXISTS nonces (
    signer TEXT NOT NULL,
    nonce TEXT NOT NULL,
    command_id TEXT NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (signer, nonce)
) STRICT;
"""
ADDED = ("signer TEXT NOT NULL DEFAULT ''",)
"""Columns of `commands` that a folder of an older agent has not."""
NONCES_KEPT_S = 86_400
"""How long a signature is remembered after its end, when it would be refused anyway."""
RUNNING = "running"
MOST_LINES = 100_000
"""Lines of the command log that are kept."""
MOST_REPORTS = 1_000
"""Acknowledged reports that are remembered."""

M = TypeVar("M", bound=BaseModel)


class Settled(Open):
    """The last revision that ended, and how. `whole`: what runs now is known to be well."""

    revision: int
    phase: Final
    whole: bool
    reason: str = ""


class Waiting(Open):
    """A revision that waits for the customer, and for what: `approval` (with what is frozen), `window`, their file."""

    revision: int
    release: str | None = None
    reason: str


class CommandLine(Open):
    """A line of the customer's own log of commands. It has no parameters and no results."""

    at: AwareDatetime
    command_id: str
    command: str
    target: str
    attempt: int
    outcome: str
    """`running`, `success`, the code of a failure, or `given back`."""
    ended_at: AwareDatetime | None = None
    signer: str = ""
    """Who had signed it, where the customer asks for that."""


class Store:
    """All calls are short, and belong to one thread. `on_report` is called when a report was queued."""

    def __init__(self, path: Path, on_report: Callable[[], object] = lambda: None) -> None:
        self._on_report = on_report
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(DDL)
        known = {row["name"] for row in self._rows("PRAGMA table_info(commands)")}
        for column in ADDED:
            if column.split()[0] not in known:
                self._db.execute(f"ALTER TABLE commands ADD COLUMN {column}")

    def close(self) -> None:
        self._db.close()

    @property
    def work(self) -> Work | None:
        return self._fact("work", Work)

    @property
    def current(self) -> Release | None:
        """The release that runs, as far as the agent brought it up and saw it well."""
        return self._fact("current", Release)

    @property
    def previous(self) -> Release | None:
        """The one that was well here before `current`; the agent may go back to it, once."""
        return self._fact("previous", Release)

    @property
    def settled(self) -> Settled | None:
        return self._fact("settled", Settled)

    @property
    def standing(self) -> Standing:
        return self._fact("standing", Standing) or Standing()

    @property
    def outputs(self) -> DeploymentOutputs | None:
        """What the last update said of the deployment."""
        return self._fact("outputs", DeploymentOutputs)

    def raise_standing(self, standing: Standing) -> None:
        with self._transaction():
            self._set("standing", standing)

    def keep_outputs(self, outputs: DeploymentOutputs | None) -> None:
        with self._transaction():
            self._set("outputs", outputs)

    def advance(self, work: Work, report: Report | None = None) -> None:
        """Write that a phase begins, before anything is done in it."""
        with self._transaction():
            self._set("work", work)
            self._queue(report)

    def settle(self, revision: int, end: End, report: Report) -> None:
        """Write how a revision ended. What is well now becomes the current release."""
        with self._transaction():
            self._set("work", None)
            self._set("settled", Settled(revision=revision, phase=end.phase, whole=end.whole, reason=end.reason))
            if end.phase == "succeeded" and end.runs:
                self._succeed(end.runs)
            self._queue(report)

    def _succeed(self, release: Release) -> None:
        before = self.current
        went_back = before is not None and release.sequence < before.sequence
        if went_back or before is None:
            self._set("previous", None)  # a second step back would need the vendor's word
        elif before.digest != release.digest:
            self._set("previous", before)
        self._set("current", release)

    def forget_release(self) -> None:
        """The deployment was taken down: nothing runs, and there is nothing to go back to."""
        with self._transaction():
            for name in ("current", "previous", "outputs"):
                self._set(name, None)

    def queue(self, report: Report) -> None:
        with self._transaction():
            self._queue(report)

    def reports(self) -> list[Report]:
        """The reports that were not acknowledged yet, oldest first."""
        found = self._rows("SELECT body FROM reports WHERE acknowledged = 0 ORDER BY number")
        return [Report.model_validate_json(row["body"]) for row in found]

    def acknowledge(self, report_id: str) -> None:
        """Write that the control plane has a report. Its id is kept for a while, so that it is not told again."""
        with self._transaction():
            self._db.execute("UPDATE reports SET acknowledged = 1 WHERE id = ?", (report_id,))
            newest = self._rows("SELECT max(number) AS number FROM reports")[0]["number"] or 0
            self._db.execute("DELETE FROM reports WHERE acknowledged = 1 AND number < ?", (newest - MOST_REPORTS,))

    def approve(self, revision: int) -> None:
        """Write the customer's word for a revision that waits. Raises InvalidInput where it does not."""
        waiting = self.waiting
        if waiting is None or waiting.revision != revision:
            told = f"revision {waiting.revision} waits" if waiting else "nothing waits"
            raise InvalidInput(f"revision {revision} does not wait for approval; {told}", hint="see `alien agent log`")
        with self._transaction():
            self._db.execute("INSERT OR IGNORE INTO approvals VALUES (?, ?)", (revision, _now()))

    def is_approved(self, revision: int) -> bool:
        return bool(self._rows("SELECT 1 FROM approvals WHERE revision = ?", revision))

    @property
    def waiting(self) -> Waiting | None:
        """The revision that waits, if one does."""
        return self._fact("waiting", Waiting)

    def wait(self, waiting: Waiting | None, report: Report | None = None) -> None:
        """Write which revision waits and for what; None: none does."""
        with self._transaction():
            self._set("waiting", waiting)
            self._queue(report)

    def begin_command(self, line: CommandLine, lease_id: str) -> int:
        """Log a command before it is given to a workload; returns the line's number."""
        values = (line.at.isoformat(), lease_id, line.command_id, line.command, line.target, line.attempt, line.outcome)
        with self._transaction():
            number = self._db.execute(
                "INSERT INTO commands (at, lease_id, command_id, command, target, attempt, outcome)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            ).lastrowid
            self._db.execute("DELETE FROM commands WHERE number <= ?", ((number or 0) - MOST_LINES,))
        return number or 0

    def end_command(self, number: int, outcome: str) -> None:
        self._db.execute("UPDATE commands SET outcome = ?, ended_at = ? WHERE number = ?", (outcome, _now(), number))

    def note_signer(self, number: int, signer: str) -> None:
        """Log who had signed a command."""
        self._db.execute("UPDATE commands SET signer = ? WHERE number = ?", (signer, number))

    def use_nonce(self, signature: arc.Signature, command_id: str, now: float) -> bool:
        """Whether a signature is new, or was used for this very command. It is remembered past its end."""
        who = (signature.signer, signature.nonce)
        with self._transaction():
            self._db.execute("DELETE FROM nonces WHERE expires < ?", (int(now) - NONCES_KEPT_S,))
            self._db.execute("INSERT OR IGNORE INTO nonces VALUES (?, ?, ?, ?)", (*who, command_id, signature.expires))
            found = self._rows("SELECT command_id FROM nonces WHERE signer = ? AND nonce = ?", *who)
        return bool(found[0]["command_id"] == command_id)

    def unfinished(self) -> list[tuple[int, str]]:
        """Number and lease of the commands that an earlier life of the agent left running."""
        return [(r["number"], r["lease_id"]) for r in self._rows("SELECT * FROM commands WHERE outcome = ?", RUNNING)]

    def command_log(self, last: int = 100) -> list[CommandLine]:
        """The newest lines of the log of commands, oldest first."""
        found = self._rows("SELECT * FROM (SELECT * FROM commands ORDER BY number DESC LIMIT ?) ORDER BY number", last)
        return [CommandLine.model_validate(dict(row)) for row in found]

    def _fact(self, name: str, model: type[M]) -> M | None:
        rows = self._rows("SELECT body FROM facts WHERE name = ?", name)
        return model.model_validate_json(rows[0]["body"]) if rows else None

    def _set(self, name: str, body: BaseModel | None) -> None:
        if body is None:
            self._db.execute("DELETE FROM facts WHERE name = ?", (name,))
        else:
            self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, body.model_dump_json(by_alias=True)))

    def _queue(self, report: Report | None) -> None:
        if report:
            body = report.model_dump_json(by_alias=True)
            self._db.execute("INSERT OR IGNORE INTO reports (id, body) VALUES (?, ?)", (report.id, body))
            self._on_report()

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        return self._db.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _now() -> str:
    return datetime.now(UTC).isoformat()
