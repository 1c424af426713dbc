"""What stands for artifacts while a stack is reviewed: packaging may need the network, and a review has none."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from alien_iac.models.purpose import Purpose


@dataclass(frozen=True)
class Planned:
    """What stands for an artifact where nothing is packaged."""

    path: Path
    sha256: str


def package(source: Path, _purpose: Purpose, cache: Path) -> Planned:
    """A stand-in for the artifact of a source folder: another when a file changes, made without network or tools."""
    whole = hashlib.sha256()
    for path in sorted(p for p in source.rglob("*") if p.is_file() and not _passing(p.relative_to(source))):
        whole.update(f"{path.relative_to(source).as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    text = f"{whole.hexdigest()}\n".encode()
    place = cache / f"{source.name}-{whole.hexdigest()[:16]}.zip"
    place.write_bytes(text)
    return Planned(place, hashlib.sha256(text).hexdigest())


def _passing(path: Path) -> bool:
    """Whether it comes and goes with use."""
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)
