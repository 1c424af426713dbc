"""The vendor's code on its way into a workload's folder: each version once, whole, and only inside that folder."""

import hashlib
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from alien_iac.errors import InvalidInput, NotFound
from alien_iac.plugin import files


def unpack(archive: Path, into: Path, expected_sha256: str | None) -> Path:
    """The folder under `into`, named by the archive's hash, with what the archive holds.

    Raises NotFound, and InvalidInput where the archive is damaged, another one, or would write elsewhere.
    """
    if not archive.is_file():
        raise NotFound(f"there is no artifact {str(archive)!r}", hint="package the source again")
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if expected_sha256 and expected_sha256 != digest:
        raise InvalidInput(f"the artifact {str(archive)!r} has the SHA-256 {digest}, and not {expected_sha256}")
    target = into / digest
    if not target.is_dir():
        files.folder(into)
        draft = Path(tempfile.mkdtemp(dir=into, prefix=".draft-"))
        try:
            _extract(archive, draft)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return target


def prune(into: Path, keep: Collection[str]) -> None:
    """Remove the versions that are not to be kept, and what an interrupted `unpack` left."""
    for folder in into.iterdir() if into.is_dir() else ():
        if folder.name not in keep:
            shutil.rmtree(folder)


def _extract(archive: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                _check(entry, archive)
                place = Path(opened.extract(entry, folder))
                mode = stat.S_IMODE(entry.external_attr >> 16)
                place.chmod((mode or 0o644) | (0o700 if entry.is_dir() else 0o600))
    except zipfile.BadZipFile as error:
        raise InvalidInput(f"the artifact {str(archive)!r} is damaged: {error}") from error


def _check(entry: zipfile.ZipInfo, archive: Path) -> None:
    name = PurePosixPath(entry.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in entry.filename:
        raise InvalidInput(f"the artifact {str(archive)!r} would write outside its folder: {entry.filename!r}")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise InvalidInput(
            f"the artifact {str(archive)!r} holds a symbolic link, {entry.filename!r}: only files may be"
        )
