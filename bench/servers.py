"""Servers as real processes: the control plane with one enrolled agent, and the bare skeleton beside it."""

import base64
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from alien_iac.agent.client import Credentials
from alien_iac.agent.enrol import enrol
from alien_iac.agent.place import Place
from alien_iac.packaging import sign
from alien_iac.packaging.keys import VendorKeys

END_S = 30
TARGET = {"resourceId": "worker", "resourceType": "worker"}


@dataclass
class Plane:
    """`python -m alien_iac.control` on a folder."""

    data: Path
    process: "subprocess.Popen[str]"
    url: str

    @classmethod
    def start(cls, data: Path, port: int = 0) -> "Plane":
        """Start it, and wait until it listens."""
        words = [sys.executable, "-m", "alien_iac.control", "--data", str(data), "--port", str(port)]
        process, line = _started(words)
        return cls(data, process, json.loads(line)["url"])

    @property
    def port(self) -> int:
        return httpx.URL(self.url).port or 0

    @property
    def admin(self) -> str:
        """The admin's token."""
        return (self.data / "admin-token").read_text()

    def kill(self) -> None:
        """End it as a power cut does."""
        _end(self.process, signal.SIGKILL)

    def restart(self) -> None:
        """Kill it, and start it again on the same port."""
        self.kill()
        self.process = Plane.start(self.data, self.port).process

    def call(self, method: str, path: str, body: object = None, token: str | None = None) -> Any:
        """One request, as the admin unless a token is given."""
        headers = {"authorization": f"Bearer {self.admin if token is None else token}"}
        answer = httpx.request(method, f"{self.url}/v1{path}", json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@dataclass(frozen=True)
class Agent:
    """An enrolled agent: its deployment, and a token of an hour."""

    deployment_id: str
    token: str


@contextmanager
def control_plane(folder: Path) -> Iterator[Plane]:
    """A control plane on an empty folder, killed at the end."""
    plane = Plane.start(folder)
    try:
        yield plane
    finally:
        plane.kill()


@contextmanager
def skeleton(folder: Path) -> Iterator[str]:
    """The address of the bare service."""
    folder.mkdir()
    words = [sys.executable, str(Path(__file__).with_name("skeleton.py")), str(folder / "bare.sqlite")]
    process, line = _started(words)
    try:
        yield line.strip()
    finally:
        _end(process, signal.SIGKILL)


def enrolled(plane: Plane, folder: Path) -> Agent:
    """An agent with a key, whose release takes commands for one worker."""
    online = plane.call("GET", "/tuf/online-keys")["keys"]
    root = sign.first_root(VendorKeys.generate(), online, datetime.now(UTC))
    plane.call("PUT", "/tuf/root", {"metadata": base64.b64encode(root).decode()})
    code = plane.call("POST", "/enrolment-codes", {"customer": "bench", "platform": "local"})["code"]
    identity = enrol(plane.url, code, folder)
    credentials = Credentials(identity.deployment_id, Place(folder.resolve()).key.read_bytes())
    token = plane.call("POST", "/token", {"assertion": credentials.assertion(time.time())}, token="none")["token"]  # noqa: S106 - none
    report = {"id": "first", "revision": 0, "phase": "unchanged", "targets": [TARGET]}
    plane.call("POST", "/agent/reports", report, token)
    return Agent(identity.deployment_id, token)


def _started(words: list[str]) -> tuple["subprocess.Popen[str]", str]:
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101 - it is a pipe; told to mypy
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{' '.join(words)} did not start")
    return process, line


def _end(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    process.send_signal(number)
    process.communicate(timeout=END_S)
