"""What the supervisor keeps running: one file for each process, which is what counts if all else is lost."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alien_iac.plugin import files

FOLDER = "processes"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One process. `folder`: where it starts. `code`: the folder of the vendor's files, if it has one."""

    id: str
    command: tuple[str, ...]
    folder: str
    code: str | None = None
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    volumes: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    stop_seconds: int = 10
    log_max_bytes: int = 5 * 1024 * 1024
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What it was made from, for Pulumi."""


def path(root: Path, workload_id: str) -> Path:
    """The file of a process, under the deployment's folder."""
    return root / "supervisor" / FOLDER / f"{workload_id}.json"


def write(root: Path, definition: Definition) -> None:
    """Record the process, or its new version. The supervisor acts on it when it is next reconciled."""
    text = json.dumps(dataclasses.asdict(definition), indent=1, sort_keys=True)
    files.write_private(path(root, definition.id), text.encode())


def read(root: Path, workload_id: str) -> Definition | None:
    """The process's definition; None where there is no such process."""
    try:
        found = json.loads(path(root, workload_id).read_text())
    except FileNotFoundError:
        return None
    return Definition(**found | {"command": tuple(found["command"])})


def ids(root: Path) -> list[str]:
    """The processes that there are."""
    return sorted(file.stem for file in (root / "supervisor" / FOLDER).glob("[!.]*.json"))
