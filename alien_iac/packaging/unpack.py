"""Unpacks an archive that somebody else made: nothing leaves the folder, nothing is a link, nothing fills the disk."""

import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from alien_iac.errors import Untrusted

MAX_FILES = 100_000
MAX_BYTES = 4 * 2**30
"""Of all files together, unpacked."""


def unpack(archive: Path, folder: Path, *, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES) -> None:
    """Unpack a zip into a folder, which is made where there is none.

    Untrusted, and nothing is written, where it is no zip, or holds a name that leads out of the folder, a link or
    other special file, a name twice, or more than the limits.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            infos = _checked(opened, archive, max_files, max_bytes)
            for info in infos:
                _extract(opened, info, folder)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise Untrusted(f"{archive.name} is not a whole zip: {error}", hint="fetch or build it again") from error


def _checked(opened: zipfile.ZipFile, archive: Path, max_files: int, max_bytes: int) -> list[zipfile.ZipInfo]:
    infos = [info for info in opened.infolist() if not info.is_dir()]
    names = [info.filename for info in infos]
    bad = next((info for info in infos if not _is_safe(info)), None)
    if bad is not None:
        raise Untrusted(f"{archive.name} holds {bad.filename!r}, which is not a plain file below its folder")
    if len(set(names)) != len(names):
        raise Untrusted(f"{archive.name} holds a name twice")
    if len(infos) > max_files:
        raise Untrusted(f"{archive.name} holds {len(infos)} files; {max_files} are allowed")
    size = sum(info.file_size for info in infos)
    if size > max_bytes:
        raise Untrusted(f"{archive.name} unpacks to {size} bytes; {max_bytes} are allowed")
    return infos


def _is_safe(info: zipfile.ZipInfo) -> bool:
    name, mode = info.filename, info.external_attr >> 16
    parts = PurePosixPath(name).parts
    plain = not name.startswith("/") and "\\" not in name and ":" not in parts[0] and ".." not in parts
    return bool(parts) and plain and (stat.S_IFMT(mode) in {0, stat.S_IFREG})


def _extract(opened: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> None:
    path = folder / info.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    # zipfile itself stops at the size that was checked, and compares the checksum at the end.
    with opened.open(info) as source, path.open("xb") as target:
        shutil.copyfileobj(source, target)
    path.chmod(0o755 if info.external_attr >> 16 & 0o100 else 0o644)
