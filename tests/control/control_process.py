"""A control plane as a real process, for tests that kill it."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
from control.control_vendor import Json

START_S = 30


@dataclass
class Process:
    """`python -m alien_iac.control` on a folder. `port` is kept over a restart."""

    data: Path
    port: int = 0
    process: subprocess.Popen[str] | None = None
    more: tuple[str, ...] = ()

    def start(self) -> None:
        words = [
            sys.executable,
            "-m",
            "alien_iac.control",
            "--data",
            str(self.data),
            "--port",
            str(self.port),
            *self.more,
        ]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.error()
        self.port = httpx.URL(json.loads(line)["url"]).port or 0

    def error(self) -> str:
        """What it said before it ended."""
        assert self.process is not None
        return self.process.communicate(timeout=START_S)[1]

    def kill(self) -> None:
        """As a power cut ends it."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it in order; its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        os.kill(self.process.pid, number)
        self.process.communicate(timeout=START_S)
        code, self.process = self.process.returncode, None
        return code

    @property
    def admin(self) -> str:
        return (self.data / "admin-token").read_text()

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"authorization": f"Bearer {token or self.admin}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}/v1", headers=headers, timeout=30)

    def call(self, method: str, path: str, body: object = None, token: str | None = None, **options: Json) -> Json:
        with self.client(token) as client:
            answer = client.request(method, path, json=body, **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None
