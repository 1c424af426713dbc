"""The supervisor of a deployment's processes: one supervisord, made to run what the definitions say, and nothing else.

`reconcile` is the only thing that changes what runs, and all that it needs is on the disk: whoever calls it, and
whatever was killed before, the outcome is the same.
"""

import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from alien_iac.errors import Unavailable
from alien_iac.plugin import conf, definition, environ, files, launch, lock, ports
from alien_iac.plugin.control import Control, Supervised
from alien_iac.plugin.definition import Definition
from alien_iac.protocol.local import Layout

ATTEMPTS = 3
START_S = 20.0
PAUSE_S = 0.05
CONTROL = "control.json"


def ensure_running(local_dir: Path) -> None:
    """Let all processes of the deployment run, the supervisor restarted where it died. Safe at any time, from anywhere.

    Nothing happens where there is no process. Raises Unavailable: the supervisor does not start.
    """
    supervisor = Supervisor(local_dir)
    if supervisor.folder.exists():
        supervisor.reconcile()


class Supervisor:
    """The supervisor of the deployment whose files are under `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.folder = Layout(root).supervisor

    def reconcile(self) -> None:
        """Run what the definitions say, in the version they have; end the supervisor when there are none."""
        with lock.held(self.folder):
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    self._reconcile()
                except Unavailable:  # it was killed meanwhile, perhaps
                    if attempt == ATTEMPTS:
                        raise
                else:
                    return

    def _reconcile(self) -> None:
        wanted = self._definitions()
        if not wanted:
            self._end()
        elif (control := self._control()) is None:
            self._start(wanted)
        else:
            self._render(control, wanted)
            self._apply(control)

    def state(self, workload_id: str) -> Supervised | None:
        """The process's state; None where the supervisor does not run or does not know it."""
        control = self._recorded()
        return control.state(workload_id) if control and launch.lives(self.folder) else None

    def stop(self, workload_id: str, patience_s: float) -> None:
        """Stop the process and wait for it. Raises Unavailable: it did not stop in time."""
        control = self._recorded()
        if control is None or not launch.lives(self.folder):
            return
        if not _until(lambda: _at_rest(control, workload_id), patience_s):
            raise Unavailable(f"process {workload_id!r} did not stop within {patience_s:.0f} s")

    def _apply(self, control: Control) -> None:
        added, changed, removed = control.differences()
        for one in (*changed, *removed):
            self.stop(one, START_S + self._patience(one))
            control.remove(one)
        for one in (*added, *changed):
            control.add(one)
        for state in control.states():
            if state.status == "stopped":
                control.start(state.id)

    def _patience(self, workload_id: str) -> float:
        found = definition.read(self._root, workload_id)
        return found.stop_seconds if found else Definition.stop_seconds

    def _definitions(self) -> list[tuple[Definition, str]]:
        found = [
            (definition.read(self._root, one), definition.path(self._root, one)) for one in definition.ids(self._root)
        ]
        return [(one, hashlib.sha256(file.read_bytes()).hexdigest()) for one, file in found if one]

    # Its life

    def _control(self) -> Control | None:
        """The way to the supervisor that runs. One that does not answer is killed. None where none runs then."""
        if not launch.lives(self.folder):
            return None
        control = self._recorded()
        if control and self._comes(control):
            return control
        self._kill()
        return None

    def _comes(self, control: Control) -> bool:
        """Whether the supervisor answers before long. It is not waited for once it is dead."""
        _until(lambda: _answers(control) or not launch.lives(self.folder), START_S)
        return _answers(control)

    def _start(self, wanted: list[tuple[Definition, str]]) -> None:
        for _ in range(ATTEMPTS):
            taken = ports.Ledger(Layout(self._root).ports).read().values()
            control = Control(ports.pick(set(taken)), secrets.token_hex(32))
            record = {"port": control.port, "password": control.password}
            files.write_private(self.folder / CONTROL, json.dumps(record).encode())
            self._render(control, wanted)
            self._launch()
            if self._comes(control):
                return
            self._kill()
        said = (self.folder / launch.ERRORS).read_text()[-2000:].strip()
        raise Unavailable(
            f"the supervisor in {str(self.folder)!r} did not start: {said or 'it said nothing'}",
            hint=f"see {self.folder / conf.LOG}",
        )

    def _launch(self) -> None:
        env = environ.base(os.environ) | {conf.PYTHON: sys.executable, "PYTHONPATH": str(environ.PACKAGES)}
        command = [sys.executable, "-P", "-m", "alien_iac.plugin.launch", str(self.folder)]
        subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)

    def _render(self, control: Control, wanted: list[tuple[Definition, str]]) -> None:
        text = conf.render(control.port, control.password, wanted)
        for one, _ in wanted:
            files.folder(Layout(self._root).workload(one.id) / "log")
        files.write_private(self.folder / conf.FILE, text.encode())

    def _end(self) -> None:
        """Stop the supervisor with all that it runs, and remove its files."""
        if control := self._control():
            longest = max((0, *(self._patience(one.id) for one in control.states())))
            control.shutdown()
            _until(lambda: not launch.lives(self.folder), START_S + longest)
            self._kill()
        if self.folder.exists():
            shutil.rmtree(self.folder)
        files.remove_empty(self.folder.parent, self._root)

    def _kill(self) -> None:
        """Make sure that no supervisor runs. Its pid file is true as long as it lives."""
        if launch.lives(self.folder):
            with suppress(FileNotFoundError, ProcessLookupError):  # it had not come that far, or has ended
                os.kill(int((self.folder / conf.PID).read_text()), signal.SIGKILL)
            _until(lambda: not launch.lives(self.folder), START_S)

    def _recorded(self) -> Control | None:
        try:
            record = json.loads((self.folder / CONTROL).read_text())
        except FileNotFoundError:
            return None
        return Control(record["port"], record["password"])


def _at_rest(control: Control, workload_id: str) -> bool:
    """Whether the process stands still; it is told to where it does not."""
    state = control.state(workload_id)
    if state is None or state.status == "stopped":
        return True
    if state.status != "stopping":
        control.stop(workload_id)
    return False


def _answers(control: Control) -> bool:
    try:
        control.pid()
    except Unavailable:
        return False
    return True


def _until(condition: Callable[[], bool], patience_s: float) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_S)
    return True
