"""Backup and restore as an operator asks for them: by the settings that the server itself is run with."""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from alien_iac.control import backup as files
from alien_iac.control.collaborators import utc_now
from alien_iac.control.folder import DataFolder
from alien_iac.control.settings import Settings
from alien_iac.control.store.engine import Database, Store
from alien_iac.control.store.postgres import PostgresStore
from alien_iac.errors import NotFound


def backup(settings: Settings, file: Path) -> int:
    """Write all that this control plane keeps to a file; its size in bytes. The server may run.

    NotFound where there is no control plane.
    """
    folder = DataFolder(settings.data)
    if not folder.admin_token.exists() and not (settings.data / "keys").exists():
        raise NotFound(f"there is no control plane in {settings.data}")
    with _closed(_store(settings, folder)) as store:
        return files.write(store, settings.data, file, utc_now())


def restore(settings: Settings, file: Path) -> tuple[datetime, int]:
    """Make a control plane from a backup: the backup's instant, and how many commands ended as RESTORED.

    Conflict where there is one already; InvalidInput for a file that is no backup.
    """
    folder = DataFolder(settings.data, settings.vault_keys())
    with folder.lock():
        store = _store(settings, folder)
        with _closed(store):
            at = files.read(store, settings.data, file)
        again = _store(settings, folder)
        with contextlib.closing(Database(again, utc_now, lambda _topics: None, folder.vault)) as database:
            keys = folder.online_keys()
            return at, database.write_now(lambda transaction: files.settle(transaction, keys, at))


def _store(settings: Settings, folder: DataFolder) -> Store:
    return PostgresStore(settings.database) if settings.database else folder.store()


@contextlib.contextmanager
def _closed(store: Store) -> Iterator[Store]:
    try:
        yield store
    finally:
        store.writer.dispose()
        store.reader.dispose()
