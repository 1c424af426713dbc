"""Writes zips that are the same bytes whoever writes them, and whenever: names sorted, fixed times and modes."""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from alien_iac.errors import Conflict

_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE, _PROGRAM = 0o100644, 0o100755
_UNIX = 3


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file of an archive. `name` is relative, with `/`; `sha256` is what its content was when it was looked at."""

    name: str
    path: Path
    executable: bool
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that is named by its content. `length` is in bytes."""

    path: Path
    sha256: str
    length: int


def entry(name: str, path: Path) -> Entry:
    """The entry for a file as it is now."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Entry(name=name, path=path, executable=bool(path.stat().st_mode & 0o100), sha256=digest)


def fingerprint(entries: Iterable[Entry]) -> str:
    """One hash for a set of files: their names, modes and contents."""
    whole = hashlib.sha256()
    for each in sorted(entries, key=lambda one: one.name):
        whole.update(f"{each.name}\0{int(each.executable)}\0{each.sha256}\n".encode())
    return whole.hexdigest()


def write(entries: Iterable[Entry], folder: Path) -> Artifact:
    """The entries as a zip in `folder`, named after its own SHA-256, whole or not at all.

    Conflict where a file changed since it was looked at.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".making-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                for each in sorted(entries, key=lambda one: one.name):
                    _add(archive, each)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return keep(temporary, folder / f"{digest}.zip", digest)
    finally:
        temporary.unlink(missing_ok=True)


def keep(temporary: Path, final: Path, sha256: str) -> Artifact:
    """Move a finished file to its place, readable like any other file there."""
    length = temporary.stat().st_size
    temporary.chmod(0o644)
    temporary.replace(final)
    return Artifact(path=final, sha256=sha256, length=length)


def _add(archive: zipfile.ZipFile, each: Entry) -> None:
    content = each.path.read_bytes()
    if hashlib.sha256(content).hexdigest() != each.sha256:
        raise Conflict(f"{each.path} changed while it was packaged", hint="try again when nothing writes to it")
    info = zipfile.ZipInfo(each.name, _EPOCH)
    info.create_system = _UNIX
    info.external_attr = (_PROGRAM if each.executable else _FILE) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content, compresslevel=6)
