"""A Secret on `local`: an encrypted file, and a file with its key."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from alien_iac.errors import Forbidden, Unavailable
from alien_iac.protocol import secretfile
from alien_iac.protocol.bindings import LocalSecret
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.secret import not_set


class FileSecret:
    """One file. It is opened again when it was replaced, and not otherwise."""

    kept_seconds = 0.0

    def __init__(self, path: Path, key_file: Path, resource_id: str) -> None:
        self._path = path
        self._key_file = key_file
        self._id = resource_id
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int, int], bytes] | None = None

    def get(self) -> bytes:
        try:
            with self._lock:
                return self._current()
        except FileNotFoundError as error:
            raise not_set(self._id) from error
        except PermissionError as error:
            raise Forbidden(f'the secret "{self._id}": its file may not be read') from error
        except OSError as error:
            raise Unavailable(f'the secret "{self._id}": its file cannot be read ({type(error).__name__})') from error

    def _current(self) -> bytes:
        found = self._path.stat()
        version = (found.st_ino, found.st_mtime_ns, found.st_size)
        if self._read is None or self._read[0] != version:
            key = secretfile.parse_key(self._key_file.read_text())
            self._read = (version, secretfile.unseal(self._path.read_bytes(), key))
        return self._read[1]


def connect(raw: dict[str, Any], resource_id: str) -> FileSecret:
    """The files that a binding names."""
    binding = parse(LocalSecret, raw, resource_id)
    return FileSecret(Path(binding.path), Path(binding.key_file), resource_id)
