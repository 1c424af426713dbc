"""What a stack program consists of, learnt by running it: its workloads, and what the checks find.

The program runs in a child (`python -m alien_iac.packaging.program FOLDER ANSWER`, config on standard input) against a
recorder: nothing is created, no engine is needed, and the vendor's code stays out of the process that signs.
"""

import json
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alien_iac.errors import InvalidInput, StackInvalid, told
from alien_iac.models.arguments import Architecture, Kind
from alien_iac.models.declared import Declared
from alien_iac.models.finding import Finding
from alien_iac.models.platform import Platform
from alien_iac.models.purpose import Purpose, purpose
from alien_iac.protocol.environment import volume_name
from alien_iac.resources import planner
from alien_iac.testing import recording

_TIMEOUT_S = 300
_LINES = 20
_PREFIX = {"alien:prefix": "release-000000"}
"""Stands for a deployment's own: a release is for all of them."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A Function or Container of the program."""

    id: str
    kind: Kind
    source: Path | None
    """Its folder; None for one that runs an image."""
    image: Path | None = None
    """The folder that its image is built from."""
    commands: bool
    architecture: Architecture | None = None
    linked: frozenset[Kind] = frozenset()
    """The kinds of what it is linked to."""
    polls: bool = False
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Its own `env` as far as it is known, and a made-up place for each volume: what its code may read as it loads."""

    def purpose(self, platform: Platform) -> Purpose:
        """What its artifact is for on a platform."""
        return Purpose(
            platform=platform,
            kind=self.kind,
            architecture=self.architecture,
            image=self.source is None,
            linked=self.linked,
            polls=self.polls,
        )


@dataclass(frozen=True, kw_only=True)
class Described:
    """A program that passed its checks."""

    workloads: tuple[Workload, ...]
    findings: tuple[Finding, ...]
    """Warnings and notes."""


def describe(folder: Path, platform: str, config: Mapping[str, Any] | None = None) -> Described:
    """Run the stack program of a folder for a platform, and tell what it consists of.

    `config`: further config that the program asks for; of a cloud, a made-up place stands for the customer's.
    StackInvalid with all findings where the checks refuse it;
    InvalidInput, with the place in the program, where it raises.
    """
    settings = {**recording.KEYS.get(platform, {}), **_PREFIX, **(config or {}), "alien:platform": platform}
    with tempfile.TemporaryDirectory() as place:
        answer = Path(place) / "answer.json"
        _run(folder, answer, json.dumps(settings))
        found = json.loads(answer.read_text(encoding="utf-8"))
    findings = tuple(Finding.model_validate(each) for each in found["findings"])
    if found["refused"]:
        raise StackInvalid(findings)
    if found["error"]:
        raise InvalidInput(
            f"the stack program in {folder} raised {found['error']}",
            hint="nothing was built; mend it and release again",
        )
    return Described(workloads=tuple(_workload(each) for each in found["workloads"]), findings=findings)


def _workload(facts: Mapping[str, Any]) -> Workload:
    source, image = (Path(facts[key]) if facts[key] else None for key in ("source", "image"))
    plain = {key: facts[key] for key in ("id", "kind", "commands", "architecture", "polls", "environment")}
    return Workload(source=source, image=image, linked=frozenset(facts["linked"]), **plain)


def _run(folder: Path, answer: Path, settings: str) -> None:
    command = [sys.executable, "-m", "alien_iac.packaging.program", str(folder), str(answer)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            input=settings,
            capture_output=True,
            text=True,
            env=environment,
            cwd=folder,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput(f"{folder}: the stack program did not end within {_TIMEOUT_S} s") from error
    if done.returncode or not answer.is_file():
        last = "\n".join(f"  {line}" for line in done.stderr.strip().splitlines()[-_LINES:])
        raise InvalidInput(f"{folder}: the stack program ended its process (exit code {done.returncode}):\n{last}")


def main(arguments: Sequence[str]) -> None:
    """Run the program of a folder, and write down what it declared. Runs in a process of its own."""
    folder, answer = Path(arguments[0]), Path(arguments[1])
    config = json.load(sys.stdin)
    planners: list[planner.Planner] = []

    def program() -> None:
        planners.append(planner.current())
        sys.path.insert(0, str(folder))
        sys.argv = [str(folder)]
        runpy.run_path(str(folder / "__main__.py"), run_name="__main__")

    found = recording.record(program, recording.surroundings(folder, config))
    declared = planners[0].declared if planners else ()
    facts = {
        "workloads": [_told(each, declared, folder, each.workload) for each in declared if each.workload],
        "findings": [finding.model_dump() for finding in found.findings],
        "refused": isinstance(found.error, StackInvalid),
        "error": told(found.error, folder) if found.error else "",
    }
    answer.write_text(json.dumps(facts), encoding="utf-8")


def _told(each: Declared, declared: Sequence[Declared], folder: Path, workload: Any) -> dict[str, object]:
    built_from = each.built_from or workload.image_folder
    source, image = (str((folder / place).resolve()) if place else None for place in (workload.source, built_from))
    volumes = {volume_name(each.mount_path): tempfile.gettempdir() for each in getattr(workload, "volumes", ())}
    is_for = purpose(Platform.LOCAL, each, declared)
    own = {name: value if isinstance(value, str) else "" for name, value in workload.env.items()}
    return {
        "id": each.id,
        "kind": each.kind,
        "source": source,
        "image": image,
        "commands": workload.commands,
        "architecture": workload.architecture,
        "linked": sorted(is_for.linked),
        "polls": is_for.polls,
        "environment": {**own, **volumes},
    }


if __name__ == "__main__":
    main(sys.argv[1:])
