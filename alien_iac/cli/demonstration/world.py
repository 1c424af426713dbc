"""A vendor, a control plane and customers with their agents: real processes of `alien`, all in one folder."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from alien_iac.cli.demonstration.processes import STOP_S, Processes
from alien_iac.cli.remote import Remote
from alien_iac.errors import Conflict, Unavailable

ALIEN = (sys.executable, "-m", "alien_iac.cli")
CONTROL_PLANE = "control-plane"
START_S = 60
LOCK = "lock"
_OURS = ("ALIEN_", "PULUMI_")
"""Variables of the terminal that these processes must not meet."""

Tell = Callable[[str], object]
T = TypeVar("T")
R = TypeVar("R")


@dataclass
class World:
    """All that runs. `alien` runs the real command line, as a person would."""

    folder: Path
    tell: Tell
    environment: dict[str, str] = field(repr=False)
    """Of every process; it learns where the control plane is when that has started."""
    url: str = ""

    _remote: Remote | None = None

    def __post_init__(self) -> None:
        self.processes = Processes(self.folder)

    @property
    def project(self) -> Path:
        """The vendor's project."""
        return self.folder / "vendor"

    @property
    def remote(self) -> Remote:
        """The control plane, as the vendor's admin sees it."""
        if self._remote is None:
            token = Path(self.environment["ALIEN_TOKEN_FILE"]).read_text(encoding="utf-8").strip()
            self._remote = Remote(self.url, token)
        return self._remote

    def agent_dir(self, customer: str) -> Path:
        """The folder of a customer's agent."""
        return self.folder / "customers" / customer

    @property
    def enrolled(self) -> list[str]:
        """The customers whose agents were enrolled."""
        return sorted(found.parent.name for found in (self.folder / "customers").glob("*/agent.json"))

    def run(
        self, *words: str, given: str = "", extra: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command of `alien`, whatever comes of it."""
        self.tell(f"$ alien {' '.join(words)}")
        process = subprocess.Popen(
            [*ALIEN, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**self.environment, **(extra or {})},
            start_new_session=True,
        )
        try:
            out, said = process.communicate(given)
        except KeyboardInterrupt:  # it is interrupted too, and has a moment to tidy up
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=STOP_S)
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, said)

    def alien(self, *words: str, given: str = "", extra: Mapping[str, str] | None = None) -> Any:
        """Run a command of `alien` and return its JSON. Raises Unavailable with what it said."""
        done = self.run(*words, "--json", given=given, extra=extra)
        if done.returncode:
            raise Unavailable(f"alien {words[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
        return json.loads(done.stdout)

    def start(self, name: str, *words: str) -> None:
        """Run a command of `alien` in the background; its output goes to a log in the folder."""
        self.tell(f"$ alien {' '.join(words)} &")
        self.processes.start(name, [*ALIEN, *words], self.environment)

    def serve(self) -> None:
        """Start the control plane, on the port that it had before if it had one."""
        port = self.url.rpartition(":")[2] or "0"
        log = self.processes.log(CONTROL_PLANE)
        said = log.stat().st_size if log.exists() else 0
        self.start(CONTROL_PLANE, "serve", "--data", str(self.folder / "control"), "--port", port, "--json")
        deadline = time.monotonic() + START_S
        while not (text := _from(log, said)).rstrip().endswith("}"):
            if self.processes.running[CONTROL_PLANE].poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"the control plane did not start: {text}")
            time.sleep(0.05)
        told = json.loads(text)
        self.url = told["url"]
        self.environment |= {"ALIEN_CONTROL_PLANE": self.url, "ALIEN_TOKEN_FILE": told["adminTokenFile"]}

    def enrol(self, customer: str) -> None:
        """Make a customer's deployment known, and the folder of its agent."""
        code = self.alien("token", "enrol", customer, "--platform", "local")["code"]
        folder = str(self.agent_dir(customer))
        self.alien("agent", "enrol", "--dir", folder, extra={"ALIEN_ENROLMENT_CODE": code})

    def run_agent(self, customer: str) -> None:
        """Start a customer's agent."""
        self.start(customer, "agent", "run", "--dir", str(self.agent_dir(customer)))

    def take_down(self, customer: str) -> None:
        """Stop a customer's agent, and destroy what it deployed. Says where that is not possible."""
        self.processes.stop(customer)
        done = self.run("agent", "destroy", "--yes", "--dir", str(self.agent_dir(customer)))
        if done.returncode:
            self.tell(f"{customer} could not be taken down: {(done.stderr or done.stdout).strip()}")

    def end(self) -> None:
        """Take down whatever runs, in the order in which a person would; go on when a part of it fails."""
        if self._remote:
            self._remote.close()
        for names in (self.enrolled, list(self.processes.running)):
            self.processes.stop(*names)
        self.processes.end_left()
        at_once(self.take_down, self.enrolled)


def _from(file: Path, offset: int) -> str:
    with file.open("rb") as log:
        log.seek(offset)
        return log.read().decode(errors="replace")


def at_once(act: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do the same for several, side by side; the first error is raised when all have ended."""
    every: Sequence[T] = list(items)
    with ThreadPoolExecutor(max_workers=max(1, len(every))) as pool:
        return list(pool.map(act, every))


@contextmanager
def opened(folder: Path, tell: Tell, environment: Mapping[str, str]) -> Iterator[World]:
    """A world in a folder of its own, empty. At the end nothing of it runs, and its files are there to look at.

    What an earlier one left running in the folder, because it was killed, is taken down first. Raises Conflict where
    another process has the folder.
    """
    passed_on = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    world = World(folder=folder, tell=tell, environment={**passed_on, **environment})
    with _held(folder):
        _clear(world)
        try:
            yield world
        finally:
            with _undisturbed():
                world.end()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Conflict(f"another process has {folder}", hint="wait until it has ended, or end it") from error
    try:
        yield
    finally:
        lock.release()


def _clear(world: World) -> None:
    if world.enrolled or any(world.folder.glob("*.pid")):
        world.tell(f"what was left in {world.folder} is taken down")
        world.end()
    for path in world.folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end what runs here as Ctrl-C does, and Ctrl-C does so wherever this was started from."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    with _signals(interrupt):
        yield


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C does not stop what ends things."""
    with _signals(lambda _number, _frame: None):
        yield


@contextmanager
def _signals(handler: Callable[[int, Any], None]) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, handler) for number in numbers]
    try:
        yield
    finally:
        for number, earlier in zip(numbers, before, strict=True):
            signal.signal(number, earlier)
