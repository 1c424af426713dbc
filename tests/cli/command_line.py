"""`alien` as a person runs it on a machine where nothing is set up: a process, no PATH of ours, a home of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ALIEN = Path(sys.executable).parent / "alien"
TIMEOUT_S = 100


@dataclass(frozen=True)
class Shell:
    """A terminal in a folder. `home` is empty, and so is the environment but for PATH."""

    folder: Path
    home: Path
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "ALIEN_ENGINE": "embedded", **self.more}

    def alien(self, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        """Run `alien`, whatever comes of it."""
        return subprocess.run(
            [str(ALIEN), *words],
            cwd=self.folder,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )

    def done(self, *words: str, given: str = "") -> Any:
        """Run `alien … --json`, which has to go well, and return its answer."""
        ended = self.alien(*words, "--json", given=given)
        assert ended.returncode == 0, ended.stderr + ended.stdout
        return json.loads(ended.stdout)

    @contextmanager
    def up(self, customer: str) -> Iterator[dict[str, Any]]:
        """A customer's deployment, taken down at the end: its workloads by id."""
        try:
            told = self.done("up", customer, "--yes")
            yield {one["id"]: one for one in told["outputs"]["alien"]["workloads"]}
        finally:
            self.done("destroy", customer, "--yes")


def processes_below(folder: Path) -> list[str]:
    """The command lines of processes that have something to do with a folder."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line]
