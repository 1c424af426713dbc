"""What became of every command, as the database itself wrote it down while processes were killed around it."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ENDED = frozenset({"SUCCEEDED", "FAILED", "EXPIRED"})
CLOCK_US = 2_000
"""SQLite's own clock has milliseconds."""
TRIGGER = """
CREATE TABLE IF NOT EXISTS chaos (
    number INTEGER PRIMARY KEY, id TEXT, before TEXT, after TEXT, attempt_before INTEGER, attempt_after INTEGER,
    lease_before TEXT, lease_after TEXT, lease_ended INTEGER, at INTEGER
);
CREATE TRIGGER IF NOT EXISTS chaos AFTER UPDATE ON commands
WHEN old.state IS NOT new.state OR old.attempt IS NOT new.attempt OR old.lease_id IS NOT new.lease_id
BEGIN
    INSERT INTO chaos (id, before, after, attempt_before, attempt_after, lease_before, lease_after, lease_ended, at)
    VALUES (new.id, old.state, new.state, old.attempt, new.attempt, old.lease_id, new.lease_id, old.lease_expires_at,
            CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER));
END;
"""


@dataclass(frozen=True)
class Change:
    """One write to one command."""

    id: str
    before: str
    after: str
    attempts: int
    """How many it gained."""
    lease_before: str | None
    lease_after: str | None
    lease_had_ended: bool

    @property
    def is_end(self) -> bool:
        return self.after in ENDED


def watch(database: Path) -> None:
    """From now on, write down each change of a command."""
    with sqlite3.connect(database, timeout=30) as connection:
        connection.executescript(TRIGGER)
    connection.close()


def changes(database: Path) -> list[Change]:
    connection = sqlite3.connect(database, timeout=30)
    rows = connection.execute("SELECT * FROM chaos ORDER BY number").fetchall()
    connection.close()
    return [
        Change(
            id=id_,
            before=before,
            after=after,
            attempts=attempt_after - attempt_before,
            lease_before=lease_before,
            lease_after=lease_after,
            lease_had_ended=lease_ended is None or at + CLOCK_US >= lease_ended,
        )
        for _, id_, before, after, attempt_before, attempt_after, lease_before, lease_after, lease_ended, at in rows
    ]


def states(database: Path) -> dict[str, tuple[str, int]]:
    """State and attempt of every command there is."""
    connection = sqlite3.connect(database, timeout=30)
    rows = connection.execute("SELECT id, state, attempt FROM commands").fetchall()
    connection.close()
    return {id_: (state, attempt) for id_, state, attempt in rows}


def check(history: Sequence[Change], known: set[str]) -> None:
    """Each command ended once, and nothing came after; each redelivery followed the end of a lease."""
    ends = Counter(change.id for change in history if change.is_end)
    assert set(ends) == known, f"{len(known - set(ends))} never ended"
    assert set(ends.values()) == {1}, [id_ for id_, times in ends.items() if times > 1]
    assert not [change for change in history if change.before in ENDED]
    for change in history:
        given_up = change.before == "DISPATCHED" and change.after == "PENDING" and change.lease_after is None
        taken_over = change.before == change.after == "DISPATCHED"
        # One that is given back without an attempt was answered to a connection that had gone: nobody ever had it.
        assert change.attempts in ({0, 1} if given_up else {int(taken_over)}), change
        if taken_over:
            assert change.lease_had_ended, f"delivered again while its lease held: {change}"
        if change.after == "DISPATCHED":
            assert change.lease_after
            assert change.lease_after != change.lease_before
