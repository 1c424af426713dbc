"""Where the work of rollouts is kept for the next runner, and which runner has it: one at a time a place."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from alien_iac.errors import Conflict


class Place(Protocol):
    """A database for DBOS, and whose turn it is with it: two runners would take each other's work."""

    @property
    def url(self) -> str:
        """The database's address."""

    def take(self) -> bool:
        """Whether it is ours, from now on. False: another process has it, and it may be ours later."""

    def kept(self) -> bool:
        """Whether it still is ours."""

    def release(self) -> None:
        """Let another process have it."""


class FilePlace:
    """A folder with an SQLite file. The lock is the operating system's, and ends with the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "runner.lock", thread_local=False)  # one thread takes it, another gives it up

    @property
    def url(self) -> str:
        return f"sqlite:///{self._folder / 'dbos.sqlite'}"

    def take(self) -> bool:
        """As a place does; Conflict where another process has it: it is not to be shared."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise Conflict(
                f"another process runs the rollouts of {self._folder}",
                hint="stop that control plane first, or give this one another folder",
            ) from error
        with closing(sqlite3.connect(self._folder / "dbos.sqlite")) as database:
            database.execute("PRAGMA journal_mode=WAL")  # it stays with the file; DBOS itself does not ask for it
        return True

    def kept(self) -> bool:
        return True

    def release(self) -> None:
        self._lock.release()
