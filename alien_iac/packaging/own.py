"""Our own runtime as a part of an artifact: the files of this library that a workload needs, from its installation."""

from collections.abc import Iterator
from pathlib import Path

import alien_iac
from alien_iac.packaging.archive import Entry, entry

PARTS = ("__init__.py", "py.typed", "errors.py", "models", "protocol", "runtime")
"""Of this package's folder. What deploys, reviews or serves stays out."""


def entries(folder: str) -> tuple[Entry, ...]:
    """The files, below a folder of the artifact."""
    root = Path(alien_iac.__file__).parent
    return tuple(entry(_name(folder, path.relative_to(root)), path) for path in _files(root))


def _name(folder: str, path: Path) -> str:
    return "/".join(part for part in (folder, root_name(), path.as_posix()) if part)


def root_name() -> str:
    """The name under which it is imported."""
    return alien_iac.__name__


def _files(root: Path) -> Iterator[Path]:
    for part in PARTS:
        path = root / part
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(each for each in path.rglob("*.py") if "__pycache__" not in each.parts)
