"""Files by name: a release's blobs by their SHA-256, and what else is too large for a database.

A file appears whole and flushed to the disk, or not at all.
"""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from alien_iac.errors import InvalidInput

CHUNK = 1 << 20
_UNFINISHED = ".upload-"


class TooLarge(InvalidInput):
    """A body is larger than what is taken here."""

    code = "TOO_LARGE"
    http_status = 413


class Folder:
    """A folder of immutable files. `limit`: bytes of the largest that is taken."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        """Where a file is or would be: in one of 256 folders, by the hash of its name up to the first dot."""
        stem = name.partition(".")[0]
        return self._path / hashlib.sha256(stem.encode()).hexdigest()[:2] / name

    def size(self, name: str) -> int | None:
        """Its bytes, or None where there is no such file."""
        try:
            return self.path(name).stat().st_size
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes:
        return self.path(name).read_bytes()

    def remove(self, stem: str) -> None:
        """Delete the files with this name up to the first dot."""
        for found in self.path(stem).parent.glob(f"{stem}.*"):
            found.unlink(missing_ok=True)

    def stems(self, before: float) -> set[str]:
        """The names up to the first dot of files last written before an instant (seconds since 1970).

        Unfinished uploads of that age are removed: their process was killed.
        """
        found: set[str] = set()
        for path in self._path.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                if path.stat().st_mtime >= before:
                    continue
                if path.name.startswith(_UNFINISHED):
                    path.unlink()
                else:
                    found.add(path.name.partition(".")[0])
        return found

    async def put(self, name: str, chunks: AsyncIterator[bytes], sha256: str | None = None) -> int:
        """Store a stream under a name; its size in bytes.

        TooLarge, or InvalidInput where it is not the content that `sha256` names: then nothing is stored.
        """
        upload = await asyncio.to_thread(_Upload, self.path(name), self._limit)
        try:
            buffer = bytearray()
            async for chunk in chunks:
                buffer += chunk
                if len(buffer) >= CHUNK:
                    await asyncio.to_thread(upload.write, bytes(buffer))
                    buffer.clear()
            await asyncio.to_thread(upload.write, bytes(buffer))
            return await asyncio.to_thread(upload.finish, sha256)
        finally:
            upload.discard()


class _Upload:
    """A file on its way: beside its place, moved there when it is whole and right."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._size = 0
        self._hash = hashlib.sha256()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
        self._file = os.fdopen(handle, "wb")
        self._temporary = Path(name)

    def write(self, content: bytes) -> None:
        self._size += len(content)
        if self._size > self._limit:
            raise TooLarge(f"the body has more than {self._limit} bytes")
        self._hash.update(content)
        self._file.write(content)

    def finish(self, sha256: str | None) -> int:
        if sha256 is not None and self._hash.hexdigest() != sha256:
            raise InvalidInput(f"the body's SHA-256 is {self._hash.hexdigest()}, not {sha256}")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.replace(self._path)
        for folder in (self._path.parent, self._path.parent.parent):
            _flush(folder)
        return self._size

    def discard(self) -> None:
        """Leave nothing behind; nothing to do once it is finished."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
