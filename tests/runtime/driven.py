"""One Function on each platform, driven as that platform drives it; what a test sees of it is the same for all."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from alien_iac.protocol import environment

EVENTS = Path(__file__).parent / "events"
KEY = "orders/été 1+1.txt"
INSTANT = "2026-11-23T03:00:00+00:00"
TRIGGERS = [
    {"kind": "queue", "resource": "jobs"},
    {"kind": "schedule", "cron": "0 3 * * 1", "timezone": "UTC"},
    {"kind": "created", "resource": "files"},
]
TIMEOUT_SECONDS = 3
DEPLOYMENT = "demo/acme"


class Refused(Exception):
    """The platform's way to say that an event starts nothing here."""


@dataclass(frozen=True)
class Answer:
    """An answer of HTTP."""

    status: int
    headers: list[tuple[str, str]]
    body: str

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


class Driven(Protocol):
    """A Function that runs. True of `message`, `schedule` and `created`: it is dealt with; False: it comes again."""

    def command(self, envelope: Mapping[str, Any]) -> dict[str, Any]: ...

    def call(self, command: str, parameters: Mapping[str, Any]) -> tuple[int, Any]: ...

    def message(self, body: str, *, attempt: int = 1) -> bool: ...

    def schedule(self) -> bool: ...

    def created(self) -> bool: ...

    def web(self) -> Answer: ...

    def forged(self) -> list[str]:
        """Events that are none of the Function's, and how each was refused."""
        ...

    @property
    def log(self) -> str: ...

    def notes(self) -> list[dict[str, Any]]: ...


def event(cloud: str, name: str) -> Any:
    """A recorded event."""
    return json.loads((EVENTS / cloud / f"{name}.json").read_text())


def common(
    cloud: str,
    folder: Path,
    bindings: Mapping[str, Mapping[str, object]] | None = None,
    triggers: Sequence[Mapping[str, str]] = TRIGGERS,
) -> dict[str, str]:
    """The environment that every platform gives."""
    return {
        environment.DEPLOYMENT_TYPE: cloud,
        environment.DEPLOYMENT_ID: DEPLOYMENT,
        environment.RESOURCE_ID: "worker",
        environment.RESOURCE_TYPE: "worker",
        environment.RELEASE: "1.2.3",
        environment.TIMEOUT_SECONDS: str(TIMEOUT_SECONDS),
        environment.TRIGGERS: json.dumps(triggers),
        "NOTES": str(folder / "notes"),
        **{environment.binding_name(name): json.dumps(told) for name, told in (bindings or {}).items()},
    }


def notes(folder: Path) -> list[dict[str, Any]]:
    path = folder / "notes"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@dataclass
class Child:
    """A process that answers a line of JSON with another."""

    process: subprocess.Popen[str]
    log: Path
    first: dict[str, Any] = field(default_factory=dict)

    def ask(self, **asked: Any) -> dict[str, Any]:
        writes, reads = self._pipes()
        writes.write(json.dumps(asked) + "\n")
        writes.flush()
        return self.read(reads)

    def read(self, reads: IO[str] | None = None) -> dict[str, Any]:
        line = (reads or self._pipes()[1]).readline()
        assert line, self.log.read_text()
        told: dict[str, Any] = json.loads(line)
        return told

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self.process.stdin
        assert self.process.stdout
        return self.process.stdin, self.process.stdout


@contextmanager
def child(command: list[str], env: Mapping[str, str], folder: Path) -> Iterator[Child]:
    """Started in `folder`, with nothing of this process's environment."""
    log = folder / f"log-{time.monotonic_ns()}"
    with log.open("w") as out:
        process = subprocess.Popen(
            command, env=dict(env), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, text=True, cwd=folder
        )
    try:
        yield Child(process, log)
    finally:
        process.kill()
        process.communicate()
