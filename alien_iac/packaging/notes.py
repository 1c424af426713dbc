"""What an artifact was made of, and which one it became: so that it is made once, by whichever process comes first."""

import json
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from alien_iac.packaging.archive import Artifact

ARTIFACTS = "artifacts"
"""Folder in the cache with the artifacts, each named by its content."""


def once(cache: Path, key: str, make: Callable[[Path], Artifact]) -> Artifact:
    """The artifact that was made for this key, or that `make` puts into the given folder now.

    An artifact that is gone, or has another length than it had, is made again.
    """
    note = cache / "keys" / f"{key}.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(note.with_suffix(".lock")):
        known = _known(note, cache)
        if known is not None:
            return known
        made = make(cache / ARTIFACTS)
        temporary = note.with_suffix(".new")
        temporary.write_text(json.dumps({"name": made.path.name, "length": made.length}), encoding="utf-8")
        temporary.replace(note)
        return made


def _known(note: Path, cache: Path) -> Artifact | None:
    if not note.is_file():
        return None
    told = json.loads(note.read_text(encoding="utf-8"))
    path = cache / ARTIFACTS / told["name"]
    there = path.is_file() and path.stat().st_size == told["length"]
    return Artifact(path=path, sha256=path.name.partition(".")[0], length=told["length"]) if there else None
