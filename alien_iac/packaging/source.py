"""From a workload's source folder to the artifact that runs: the vendor's files, and their requirements beside them.

The same files, requirements and target give the same bytes on every machine; an artifact is named after its content,
made once, and kept in a cache that any number of processes may use at once.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from alien_iac.errors import InvalidInput
from alien_iac.packaging import files, generated, notes, own, requirements
from alien_iac.packaging.archive import Artifact, Entry, entry, fingerprint, write
from alien_iac.packaging.requirements import Wanted
from alien_iac.packaging.targets import Target
from alien_iac.packaging.tidy import tidy

__all__ = ["Artifact", "Target", "package"]

_RECIPE = "3"
"""Grows when the same input is to give other bytes, so that no older artifact is taken for it."""
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class _Contents:
    """All that an artifact is made of."""

    entries: tuple[Entry, ...]
    """The vendor's files, and ours."""
    wanted: Wanted
    locked: str
    target: Target

    @property
    def key(self) -> str:
        """Names the artifact before it is made."""
        parts = [_RECIPE, fingerprint(self.entries)[:32], requirements.digest(self.locked)[:32], str(self.target)]
        return "-".join(parts)


def package(source: Path, target: Target, cache: Path) -> Artifact:
    """The artifact of a source folder. `cache` is made where there is none.

    For a cloud our own runtime goes in, with what it needs there. NotFound without the folder; InvalidInput for what
    cannot be packaged in it, also where its requirements cannot be had for the target.
    """
    theirs = files.collect(source)
    wanted = Wanted(
        listed=requirements.find(source),
        left_out=requirements.SUPPLIED,
        added=target.requirements,
        options=target.options,
        words=target.words,
    )
    cache.mkdir(parents=True, exist_ok=True)
    locked = requirements.lock(wanted, cache)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".generating-") as folder:
        entries = (*theirs, *_ours(target, Path(folder)))
        contents = _Contents(entries=entries, wanted=wanted, locked=locked, target=target)
        return notes.once(cache, contents.key, lambda place: _make(contents, cache, place))


def _ours(target: Target, folder: Path) -> tuple[Entry, ...]:
    """Our runtime's own files, and those that the cloud's asks for; generated ones are written to `folder`."""
    if not target.is_cloud:
        return ()
    made = []
    for name, content in generated.files(target).items():
        path = folder / requirements.digest(name)
        path.write_bytes(content)
        made.append(entry(name, path))
    return (*own.entries(target.folder), *made)


def _make(contents: _Contents, cache: Path, place: Path) -> Artifact:
    with tempfile.TemporaryDirectory(dir=cache, prefix=".installing-") as folder:
        entries = [*contents.entries, *_installed(contents, Path(folder))]
        _refuse_clashes(entries)
        return write(entries, place)


def _installed(contents: _Contents, folder: Path) -> list[Entry]:
    if not contents.locked.strip():
        return []
    requirements.install(contents.wanted, contents.locked, folder)
    place = contents.target.folder
    # Commands at the root would lie among the vendor's own files, and nothing there has them on its path.
    tidy(folder, scripts=bool(place))
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    before = f"{place}/" if place else ""
    return [entry(f"{before}{path.relative_to(folder).as_posix()}", path) for path in found]


def _refuse_clashes(entries: Iterable[Entry]) -> None:
    twice = sorted(name for name, count in Counter(each.name for each in entries).items() if count > 1)
    if twice:
        raise InvalidInput(
            f"the source has {', '.join(twice[:_SHOWN])}, and so has what is packaged beside it",
            hint="rename it; what a source needs is installed among its own files here",
        )
