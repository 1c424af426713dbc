"""Everything outside of a stack program that the planner needs, in one value, so that a test can give another."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pulumi
from pulumi.runtime import config as pulumi_config

from alien_iac import platforms
from alien_iac.models.declared import Folder
from alien_iac.models.purpose import Purpose
from alien_iac.protocol import review
from alien_iac.resources import stand_in

MAIN, DOCKERFILE = "main.py", "Dockerfile"
_DOCKER_S = 5


class Packaged(Protocol):
    """What packaging makes of a folder: one file, named by its content."""

    @property
    def path(self) -> Path: ...
    @property
    def sha256(self) -> str: ...


class Packager(Protocol):
    """Makes the artifact of a folder for a purpose. Raises AlienError, with what is wrong with the folder."""

    def __call__(self, source: Path, purpose: Purpose, cache: Path, /) -> Packaged: ...


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Config, environment, folders, and what can be asked of this machine."""

    config: Mapping[str, Any]
    """All config of the Pulumi stack: fully qualified key to its value, objects as JSON text."""
    environ: Mapping[str, str] = field(repr=False)
    project: str
    stack: str
    program: Path
    """The stack program's folder, which `source` is relative to."""
    root: Path
    """The folder of Pulumi.yaml."""
    package: Packager
    has_docker: Callable[[], bool]


def real() -> Surroundings:
    """Those of the running program: Pulumi starts it in its own folder."""
    program, under_review = Path.cwd(), os.environ.get(review.FOLDER)
    return Surroundings(
        config={**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()},
        environ=os.environ,
        project=pulumi.get_project(),
        stack=pulumi.get_stack(),
        program=program,
        root=project_root(program),
        package=_stand_in(Path(under_review)) if under_review else package,
        has_docker=has_docker,
    )


def project_root(program: Path) -> Path:
    """The folder of Pulumi.yaml: the program's own, or the nearest above it."""
    return next((f for f in (program, *program.parents) if (f / "Pulumi.yaml").is_file()), program)


def package(source: Path, purpose: Purpose, cache: Path) -> Packaged:
    """The artifact of a folder, made by the packaging of this library."""
    made: Packaged = platforms.packager().make(source, purpose, cache)
    return made


def _stand_in(folder: Path) -> Packager:
    def put(source: Path, purpose: Purpose, _cache: Path) -> Packaged:
        return stand_in.package(source, purpose, folder)

    return put


def has_docker() -> bool:
    """Whether a Docker daemon answers."""
    if shutil.which("docker") is None:
        return False
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(command, capture_output=True, timeout=_DOCKER_S, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def look(program: Path, source: str) -> Folder:
    """What is at the place that a `source` or an `image` names."""
    path = (program / source).resolve()
    has_main, has_dockerfile = ((path / name).is_file() for name in (MAIN, DOCKERFILE))
    return Folder(path=path, exists=path.is_dir(), has_main=has_main, has_dockerfile=has_dockerfile)
