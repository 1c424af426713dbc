"""From a workload's source folder to the artifact that runs: the vendor's files, and their requirements beside them.

The same files, requirements and target give the same bytes on every machine; an artifact is named after its content,
made once, and kept in a cache that any number of processes may use at once.
"""

import json
import platform as machine
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from alien_iac.errors import Unsupported
from alien_iac.packaging import files, requirements
from alien_iac.packaging.archive import Artifact, Entry, entry, fingerprint, write
from alien_iac.packaging.tidy import tidy

__all__ = ["Artifact", "Target", "package"]

INSTALLED = ".python"
"""Folder in the artifact with the installed requirements; the runtime puts it on the module path."""
_RECIPE = "1"
"""Grows when the same input is to give other bytes, so that no older artifact is taken for it."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What an artifact is to run on: this machine's Python and architecture unless said otherwise."""

    platform: str = "local"
    python: tuple[int, int] = field(default_factory=lambda: (sys.version_info.major, sys.version_info.minor))
    architecture: str = field(default_factory=machine.machine)

    def __str__(self) -> str:
        return f"{self.platform}-python{self.python[0]}.{self.python[1]}-{self.architecture}"


def package(source: Path, target: Target, cache: Path) -> Artifact:
    """The artifact of a source folder. `cache` is made where there is none.

    NotFound without the folder; InvalidInput for what cannot be packaged in it; also where its requirements
    cannot be had; Unsupported for a target that is not this machine.
    """
    _check(target)
    entries = files.collect(source)
    listed = requirements.find(source)
    locked = requirements.lock(listed, requirements.SUPPLIED, cache)
    key = "-".join([_RECIPE, fingerprint(entries)[:32], requirements.digest(locked)[:32], str(target)])
    note = cache / "keys" / f"{key}.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(note.with_suffix(".lock")):
        return _known(note, cache) or _make(entries, listed, locked, note, cache)


def _check(target: Target) -> None:
    here = Target()
    if target != here:
        raise Unsupported(
            f"packaging for {target} is not possible on this machine, which is {here}",
            hint="package on a machine of that kind",
        )


def _known(note: Path, cache: Path) -> Artifact | None:
    if not note.is_file():
        return None
    told = json.loads(note.read_text(encoding="utf-8"))
    path = _place(cache) / f"{told['sha256']}.zip"
    there = path.is_file() and path.stat().st_size == told["length"]
    return Artifact(path=path, sha256=told["sha256"], length=told["length"]) if there else None


def _make(entries: tuple[Entry, ...], listed: Path | None, locked: str, note: Path, cache: Path) -> Artifact:
    with tempfile.TemporaryDirectory(dir=cache, prefix=".installing-") as folder:
        installed = _installed(listed, locked, Path(folder)) if listed and locked.strip() else []
        made = write([*entries, *installed], _place(cache))
    told = {"sha256": made.sha256, "length": made.length}
    temporary = note.with_suffix(".new")
    temporary.write_text(json.dumps(told), encoding="utf-8")
    temporary.replace(note)
    return made


def _installed(listed: Path, locked: str, folder: Path) -> list[Entry]:
    requirements.install(listed, locked, folder)
    tidy(folder)
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [entry(f"{INSTALLED}/{path.relative_to(folder).as_posix()}", path) for path in found]


def _place(cache: Path) -> Path:
    return cache / "artifacts"
