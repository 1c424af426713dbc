"""SQLite files of `local`: opened with the settings that all who use them share, and private."""

import sqlite3
from pathlib import Path

from alien_iac.errors import InvalidInput
from alien_iac.plugin import files
from alien_iac.protocol import stores


def connect(path: Path) -> sqlite3.Connection:
    """The file, made where there is none; every statement is its own transaction. Raises InvalidInput: no database."""
    files.folder(path.parent)
    path.touch(mode=0o600)
    database = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in stores.PRAGMAS:
            database.execute(pragma)
    except sqlite3.DatabaseError as error:
        database.close()
        raise InvalidInput(f"{str(path)!r} does not open as a SQLite file: {error}") from error
    return database
