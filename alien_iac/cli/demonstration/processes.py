"""Background processes of one folder, each with a log and a file that it keeps locked for as long as it lives.

The lock tells, also after whoever started them was killed, which of them still run: a process id alone may be another's
by then.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from alien_iac.errors import Conflict
from alien_iac.plugin import lock

STOP_S = 60
"""From SIGINT to SIGKILL: an agent lets an update that runs come to its end."""
PAUSE_S = 0.05


@dataclass
class Processes:
    """All of them by their names."""

    folder: Path
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def log(self, name: str) -> Path:
        """Where a process writes."""
        return self.folder / f"{name}.log"

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start a process in a session of its own. Raises Conflict where one of this name runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        held = os.open(self._file(name), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not lock.locked(held):
                raise Conflict(f"{name} of {self.folder} runs already")
            with self.log(name).open("ab") as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                    pass_fds=(held,),
                )
            self.running[name] = process
            os.pwrite(held, str(process.pid).encode(), 0)
        finally:
            os.close(held)
        return process

    def stop(self, *names: str) -> None:
        """End these processes side by side, and wait until they have ended."""
        ending = {name: self.running.pop(name) for name in names if name in self.running}
        for process in ending.values():
            process.send_signal(signal.SIGINT)
        for process in ending.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill(self, name: str) -> None:
        """End a process as a power cut would."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def end_left(self) -> None:
        """End what somebody who was killed has left running here."""
        for file in self.folder.glob("*.pid"):
            _end(file)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.pid"


def _end(file: Path) -> None:
    """End the process that holds this file: SIGINT, and SIGKILL to its group where that does not help."""
    deadline = time.monotonic() + STOP_S
    for number in _orders(deadline):
        descriptor = os.open(file, os.O_RDWR)
        try:
            if lock.locked(descriptor):
                return
            pid = int(os.pread(descriptor, 32, 0) or b"0")
        finally:
            os.close(descriptor)
        with suppress(ProcessLookupError):  # it has just ended
            if pid and number:
                os.killpg(pid, number)
        time.sleep(PAUSE_S)
    raise Conflict(f"what holds {file} does not end", hint=f"`fuser {file}` says what it is")


def _orders(deadline: float) -> Iterator[signal.Signals | None]:
    yield signal.SIGINT
    while time.monotonic() < deadline:
        yield None
    yield signal.SIGKILL
    for _ in range(int(5 / PAUSE_S)):
        yield None
