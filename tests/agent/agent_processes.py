"""A real control plane and a real agent, each a process of its own, and a vendor who builds, signs and publishes."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from alien_iac.agent.enrol import enrol
from alien_iac.packaging.release import Order, build
from alien_iac.packaging.vendor import VendorFolder
from alien_iac.plugin import definition, supervisor
from alien_iac.protocol import arc
from alien_iac.protocol.api import Deployment

PASSPHRASE = "vendor"
PROGRAM = 'import alien_iac as alien\n\nalien.Function("worker", source="./worker", commands=True)\n'


class Vendor:
    """The vendor's machine: a project, its keys, and an admin's token."""

    def __init__(self, folder: Path, control: "ControlPlane") -> None:
        self._project = folder / "project"
        self._cache = folder / "cache"
        self._cache.mkdir(parents=True)
        self._control = control
        self._folder = VendorFolder(folder / "vendor")
        self._sequence = 0

    def init(self) -> None:
        """Make the keys, and give the control plane the root of trust."""
        online = self._control.call("GET", "/tuf/online-keys")["keys"]
        self._folder = VendorFolder.init(self._folder.path, "initech", PASSPHRASE, online, datetime.now(UTC))
        self._control.call("PUT", "/tuf/root", {"metadata": _base64(self._folder.root())})

    def release(self, version: str, worker: str, program: str = PROGRAM) -> None:
        """Build, sign and publish."""
        files = {"Pulumi.yaml": "name: tiny\nruntime: python\nmain: stacks\n", "stacks/__main__.py": program}
        for name, text in {**files, "stacks/worker/main.py": worker}.items():
            path = self._project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self._sequence += 1
        order = Order(project=self._project, vendor="initech", version=version, sequence=self._sequence)
        built = build(order, self._cache)
        for digest, file in built.files.items():
            self._control.put(f"/blobs/{digest}", file.read_bytes())
        self._control.put(f"/blobs/{built.blob.sha256}", built.content)
        targets = self._folder.add(self._folder.keys(PASSPHRASE), built.blobs, datetime.now(UTC))
        self._control.call("POST", "/releases", {"manifest": built.blob.path, "targetsMetadata": _base64(targets)})
        self._folder.write_targets(targets)


class ControlPlane:
    """`python -m alien_iac.control`, on the same port after each start."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "alien_iac.control", "--data", str(self._data), "--port", str(self._port)]
        with (self._data.parent / "control.log").open("a") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout
        told = json.loads(self._process.stdout.readline())
        self.url = told["url"]
        self._port = httpx.URL(self.url).port or 0
        token = Path(told["adminTokenFile"]).read_text().strip()
        self._http = httpx.Client(base_url=f"{self.url}/v1", headers={"authorization": f"Bearer {token}"}, timeout=60)

    def call(self, method: str, path: str, body: object = None, **query: Any) -> Any:
        answer = self._http.request(method, path, json=body, params=query)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def put(self, path: str, content: bytes) -> None:
        assert self._http.put(path, content=content).is_success

    def command(self, deployment_id: str, name: str, **parameters: object) -> arc.CommandStatus:
        """Send a command and wait for its end."""
        params = {"mode": "inline", "inlineBase64": _base64(json.dumps(parameters).encode())}
        made = self.call("POST", "/commands", {"deploymentId": deployment_id, "command": name, "params": params})
        status = self.call("GET", f"/commands/{made['commandId']}", wait=20)
        return arc.CommandStatus.model_validate(status)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process:
            self._http.close()
            _end(self._process, number)
            self._process = None


class Agent:
    """`python -m alien_iac.agent` of one customer."""

    def __init__(self, folder: Path, control: ControlPlane, customer: str = "acme") -> None:
        self.folder = folder
        self._control = control
        self._customer = customer
        self._process: subprocess.Popen[bytes] | None = None

    def enrol(self) -> None:
        made = self._control.call("POST", "/enrolment-codes", {"customer": self._customer, "platform": "local"})
        self.deployment_id = enrol(self._control.url, made["code"], self.folder).deployment_id

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        quick = {"ALIEN_AGENT_HEARTBEAT_SECONDS": "1", "ALIEN_AGENT_HEALTH_SECONDS": "12"}
        command = [sys.executable, "-m", "alien_iac.agent", "--dir", str(self.folder)]
        with self.log.open("ab") as log:
            environment = {**os.environ, **quick, **(environment or {})}
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    @property
    def log(self) -> Path:
        return self.folder / "agent.log"

    def want(self, version: str) -> None:
        self._control.call("PUT", f"/deployments/{self.deployment_id}/pin", {"release": version})

    def deployment(self) -> Deployment:
        return Deployment.model_validate(self._control.call("GET", f"/deployments/{self.deployment_id}"))

    def wait(self, claim: Callable[[Deployment], bool], seconds: float = 60) -> Deployment:
        """Wait until a claim about the deployment is true."""
        deadline = time.monotonic() + seconds
        while not claim(found := self.deployment()):
            assert time.monotonic() < deadline, f"{found}\n{self.log.read_text()[-4000:]}"
            time.sleep(0.2)
        return found

    def wait_for_log(self, text: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.log.read_text():
            assert time.monotonic() < deadline, self.log.read_text()[-4000:]
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        code = _end(self._process, number) if self._process else 0
        self._process = None
        return code

    def clear(self) -> None:
        """End the agent, and the deployment's processes with their supervisor."""
        self.stop(signal.SIGKILL)
        data = self.folder / "data"
        for workload_id in definition.ids(data):
            definition.path(data, workload_id).unlink()
        supervisor.ensure_running(data)


def _end(process: "subprocess.Popen[Any]", number: signal.Signals) -> int:
    with process:
        with suppress(ProcessLookupError):
            process.send_signal(number)
        return process.wait(60)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
