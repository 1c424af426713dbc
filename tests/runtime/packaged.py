"""A source folder packaged for a cloud and unpacked beside a clean virtual environment, once a session."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import uv

from alien_iac.models.arguments import Architecture, Kind
from alien_iac.models.platform import Platform
from alien_iac.models.purpose import Purpose
from alien_iac.packaging.source import Target, package
from alien_iac.packaging.unpack import unpack

CHILDREN = Path(__file__).parent / "children"
HANDLERS = Path(__file__).parent / "handlers" / "everything"
EXAMPLE = Path(__file__).parents[2] / "examples" / "01-remote-worker" / "worker"
_ARCHITECTURE: dict[str, Architecture] = {"x86_64": "x86_64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Package:
    """Where the artifact's files are, and a Python that has nothing of ours."""

    folder: Path
    python: Path


def packaged(source: Path, name: str, folder: Path, linked: frozenset[Kind] = frozenset()) -> Package:
    """`source` for a cloud, in the cloud's Python where this machine has it, and else in this machine's."""
    interpreter, version = _python()
    purpose = Purpose(platform=Platform(name), architecture=_ARCHITECTURE[platform.machine()], linked=linked)
    target = replace(Target.of(purpose), python=version)
    artifact = package(source, target, folder / "cache")
    place = folder / name / source.name
    unpack(artifact.path, place)
    return Package(place, _environment(interpreter, folder / "clean"))


def _environment(interpreter: Path, folder: Path) -> Path:
    if not folder.exists():
        command = [uv.find_uv_bin(), "venv", "--quiet", "--python", str(interpreter), str(folder)]
        subprocess.run(command, check=True, timeout=120)
    return folder / "bin" / "python"


@cache
def _python() -> tuple[Path, tuple[int, int]]:
    """The Python of the clouds, or this one."""
    for candidate in _candidates():
        asked = subprocess.run([candidate, "--version"], check=False, capture_output=True, text=True, timeout=30)
        if asked.returncode == 0 and asked.stdout.startswith("Python 3.13."):
            return candidate, (3, 13)
    return Path(sys.executable), (sys.version_info.major, sys.version_info.minor)


def _candidates() -> Iterator[Path]:
    found = shutil.which("python3.13")
    if found:
        yield Path(found)
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob("versions/3.13.*/bin/python"))
