"""SQLite below: one file, one process. The operating system's lock on the folder keeps others out."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from alien_iac.control.store.engine import READERS

BUSY_MS = 5_000


class SqliteStore:
    """The engines on one file."""

    def __init__(self, path: Path) -> None:
        self.writer = _open(path, "BEGIN IMMEDIATE", pool=1)
        self.reader = _open(path, "BEGIN", pool=READERS)

    def announce(self, connection: Connection, topics: Collection[str]) -> None:
        """There is nobody else to tell."""


def _open(path: Path, begin: str, *, pool: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}", pool_size=pool, max_overflow=0, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves; the driver's own way hides reads from a snapshot
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
