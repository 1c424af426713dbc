"""Real processes for the runtime's tests: a broker, a Function, and what their environment tells them."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx

from alien_iac.protocol import arc, environment, stores
from alien_iac.protocol.bindings import LocalQueue
from alien_iac.protocol.wire import Open
from alien_iac.runtime.bodies import inline

ROOT = Path(__file__).parents[2]
DEPLOYMENT = "demo/acme"
TOKEN = "workload-token"

T = TypeVar("T")


def eventually(look: Callable[[], T], seconds: float = 40) -> T:
    """What `look` says, once that is true."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.02)


@dataclass
class Running:
    """A process whose output goes to a file, as under a supervisor."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def text(self) -> str:
        return self.log.read_text()

    @property
    def url(self) -> str:
        """Its address, once it says that it is ready."""

        def port() -> str | None:
            assert self.process.poll() is None, self.text
            found = re.findall(r" ready .*port=(\d+)", self.text)
            return found[-1] if found else None

        return f"http://127.0.0.1:{eventually(port)}"

    def kill(self) -> None:
        """As the kernel does it when memory is short."""
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 15) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@dataclass
class Machine:
    """Starts processes in a folder, and ends them all."""

    folder: Path
    _running: list[Running] = field(default_factory=list)

    def start(self, *arguments: str, env: Mapping[str, str]) -> Running:
        log = self.folder / f"log-{len(self._running)}"
        path = os.pathsep.join((str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])))
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", *arguments],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "PORT": "0", **env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
            )
        self._running.append(Running(process, log))
        return self._running[-1]

    def broker(self, port: int = 0) -> Running:
        return self.start("-m", "alien_iac.runtime.broker", str(self.queues), env={"PORT": str(port)})

    @property
    def queues(self) -> Path:
        folder = self.folder / "queues"
        folder.mkdir(exist_ok=True)
        return folder

    def make_queue(self, name: str, *, visibility: int = 30, receives: int = 5, retention: int = 345_600) -> Path:
        """A queue as the plugin makes it; its token is `token-<name>`."""
        path = self.queues / f"{name}.sqlite"
        with sqlite3.connect(path) as db:
            for pragma in stores.PRAGMAS:
                db.execute(pragma)
            db.executescript(stores.QUEUE_DDL)
            settings = stores.queue_settings(
                name=name,
                visibility_seconds=visibility,
                max_receives=receives,
                retention_seconds=retention,
                token=f"token-{name}",
            )
            db.executemany(stores.SET_META, settings)
        db.close()
        return path

    def function(
        self, code: str, env: Mapping[str, str] | None = None, triggers: list[dict[str, Any]] | None = None
    ) -> Running:
        source = self.source(code)
        token = self.folder / "token"
        token.write_text(TOKEN + "\n")
        known = {
            environment.DEPLOYMENT_TYPE: "local",
            environment.DEPLOYMENT_ID: DEPLOYMENT,
            environment.RESOURCE_ID: "worker",
            environment.RESOURCE_TYPE: "worker",
            environment.RELEASE: "1.2.3",
            environment.TOKEN_FILE: str(token),
            environment.STATE_DIR: str(self.folder / "state"),
            environment.TRIGGERS: json.dumps(triggers or []),
        }
        return self.start("-m", "alien_iac.runtime.function", str(source), env={**known, **(env or {})})

    def source(self, code: str) -> Path:
        folder = self.folder / "code"
        folder.mkdir(exist_ok=True)
        (folder / "main.py").write_text(textwrap.dedent(code))
        return folder

    def end(self) -> None:
        for running in self._running:
            if running.process.poll() is None:
                running.kill()


def queue_binding(broker: Running, name: str) -> LocalQueue:
    return LocalQueue(endpoint=f"{broker.url}/queues/{name}", token=f"token-{name}")


def queue_env(broker: Running, name: str) -> dict[str, str]:
    return {environment.binding_name(name): json.dumps(queue_binding(broker, name).dump())}


def envelope(command: str, params: bytes = b"{}", **changes: object) -> arc.Envelope:
    upload = arc.PresignedRequest(
        backend=arc.HttpBackend(url="upload", method="PUT"),
        expiration=datetime.now(UTC) + timedelta(hours=1),
        operation="put",
        path="upload",
    )
    handling = arc.ResponseHandling(submit_response_url="commands/c1/response", storage_upload_request=upload)
    known = arc.Envelope(
        deployment_id=DEPLOYMENT,
        target=arc.Target(resource_id="worker", resource_type="worker"),
        command_id="c1",
        attempt=1,
        command=command,
        params=inline(params),
        response_handling=handling,
    )
    return known.model_copy(update=changes)


def send(
    function: Running, body: Open | Mapping[str, object], *, token: str = TOKEN, path: str = "/_alien/commands"
) -> httpx.Response:
    content = json.dumps(body.dump() if isinstance(body, Open) else body)
    return httpx.post(
        function.url + path, content=content, headers={"Authorization": f"Bearer {token}"}, timeout=20, trust_env=False
    )


def rows(path: Path, statement: str) -> list[Any]:
    """What a SQLite file holds, seen from outside."""
    db = sqlite3.connect(path)
    try:
        return db.execute(statement).fetchall()
    finally:
        db.close()
