"""Files of a state folder as the Pulumi CLI keeps them: written whole or not at all, each with its `.attrs` beside it.

The CLI sees a folder as an object store; what it expects of one object (mode, checksum, content type) is known here
only.
"""

import base64
import hashlib
import json
import os
import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BOOKKEEPING = ".pulumi"


@dataclass(frozen=True)
class Bucket:
    """One state folder. Keys are paths below it, with `/`."""

    root: Path
    attributes: bool = True
    """Whether `.attrs` are written."""

    def path(self, key: str) -> Path:
        return self.root / key

    def exists(self, key: str) -> bool:
        return self.path(key).is_file()

    def read(self, key: str) -> bytes | None:
        """The whole object, or None where there is none."""
        with suppress(FileNotFoundError):  # absence is an answer here, as with any store
            return self.path(key).read_bytes()
        return None

    def write(self, key: str, data: bytes, *, durable: bool = True) -> None:
        """Put the object there durably. A crash at any point leaves the old one or the new one.

        Not `durable`: a power cut may take it, or a part of it; the crash of a process does not.
        """
        self.path(key).parent.mkdir(parents=True, exist_ok=True)
        if self.attributes:
            self._place(_attributes(data), f"{key}.attrs", 0o644, durable=durable)
        self._place(data, key, 0o600, durable=durable)
        if durable:
            _sync_folder(self.path(key).parent)

    def copy(self, source: str, target: str, *, durable: bool = True) -> None:
        """Make `target` an object of its own with what `source` holds; nothing happens where there is no source."""
        if (data := self.read(source)) is not None:
            self.write(target, data, durable=durable)

    def set_aside(self, key: str, target: str) -> None:
        """Keep the object under a second name, just before it is replaced: objects are replaced, never changed."""
        for end in (".attrs", ""):
            if self.exists(key + end):
                spare = self._spare()
                try:
                    os.link(self.path(key + end), spare)
                except OSError:  # a file system without links
                    shutil.copy2(self.path(key + end), spare)
                spare.replace(self.path(target + end))
                spare.unlink(missing_ok=True)  # there still where the two were one file already

    def delete(self, key: str) -> None:
        """Take the object away; nothing happens where there is none."""
        for end in ("", ".attrs"):
            self.path(key + end).unlink(missing_ok=True)

    def keys(self, folder: str) -> list[str]:
        """The objects directly in a folder, by name."""
        with suppress(FileNotFoundError, NotADirectoryError):
            entries = sorted(entry.name for entry in os.scandir(self.path(folder)) if entry.is_file())
            return [f"{folder}/{name}" for name in entries if not name.endswith(".attrs")]
        return []

    def _place(self, data: bytes, key: str, mode: int, *, durable: bool) -> None:
        spare = self._spare()
        descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        spare.replace(self.path(key))

    def _spare(self) -> Path:
        """A name of no object: nothing that lists a folder of objects meets a half-written one."""
        return self.root / BOOKKEEPING / f".{uuid.uuid4()}.tmp"


def _attributes(data: bytes) -> bytes:
    names = ("cache_control", "content_disposition", "content_encoding", "content_language")
    attributes: dict[str, str | None] = {f"user.{name}": "" for name in names}
    attributes["user.content_type"] = "text/plain; charset=utf-8"
    attributes["user.metadata"] = None
    attributes["md5"] = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    return json.dumps(attributes, separators=(",", ":")).encode() + b"\n"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
