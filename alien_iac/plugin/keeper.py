"""The parent of one workload's process, itself a child of the supervisor: `python -m alien_iac.plugin.keeper ROOT ID`.

It holds the workload's lock, so that there is never a second copy, whatever was killed; it reads the definition anew
at each start, so that no value of it passes through the supervisor; and it takes the whole process group with it when
it is stopped, when its child ends, or when its supervisor is gone, of which its closed stdin tells.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from alien_iac.errors import AlienError, Conflict, NotFound
from alien_iac.plugin import definition, environ, failures, leftovers, lock, ports
from alien_iac.plugin.definition import Definition
from alien_iac.protocol.local import Layout

PR_SET_PDEATHSIG = 1
LOCK = "lock"
SPARE_S = 5
"""How much longer than its own stop the copy before may hold the lock, and the supervisor waits for a keeper."""
PAUSE_S = 0.1
SAYS = "alien: "
"""Begins the keeper's own lines in a workload's log."""


class Orders:
    """What this process is told: by signals, and by its stdin, which closes when its supervisor is gone."""

    def __init__(self) -> None:
        self._bell, bell = os.pipe()
        os.set_blocking(bell, False)
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self.stopped = False

    def to_stop(self, timeout_s: float | None) -> bool:
        """Wait for the next event, at most so long, and say whether there was the order to stop."""
        ready, _, _ = select.select([self._bell, sys.stdin.fileno()], [], [], timeout_s)
        closed = sys.stdin.fileno() in ready and not os.read(sys.stdin.fileno(), 1024)
        numbers = os.read(self._bell, 1024) if self._bell in ready else b""
        self.stopped = self.stopped or closed or signal.SIGTERM in numbers or signal.SIGINT in numbers
        return self.stopped


def main(argv: list[str]) -> int:
    """Keep one process until it ends; its exit status is the answer, 128 + n where signal n ended it."""
    root, workload_id = Path(argv[1]).resolve(), argv[2]
    orders, began = Orders(), time.monotonic()
    try:
        status = _keep(root, workload_id, orders)
    except (AlienError, OSError) as error:
        _say(str(error))
        status = 1
    if not orders.stopped:
        _pause(failures.record(Layout(root).workload(workload_id), status, time.monotonic() - began), orders)
    return status


def _keep(root: Path, workload_id: str, orders: Orders) -> int:
    found = definition.read(root, workload_id)
    if found is None:
        raise NotFound(f"there is no process {workload_id!r} under {str(root)!r}")
    folder = Layout(root).workload(workload_id)
    held = _lock(folder / LOCK, found.stop_seconds + SPARE_S, orders.to_stop)
    leftovers.end(folder)
    if found.port and not ports.is_free(found.port):
        raise ports.taken(workload_id, found.port)
    child = _start(found, root, held)
    os.pwrite(held, f"{os.getpid()} {child.pid}\n".encode(), 0)
    status = _watch(child, found.stop_seconds, orders)
    os.ftruncate(held, 0)
    leftovers.end(folder)
    return status


def settle(folder: Path, stop_seconds: int) -> None:
    """Wait until no copy of the workload runs, as one does for a while whose supervisor was killed; then end it."""
    if not folder.exists():
        return
    never = threading.Event()
    os.close(_lock(folder / LOCK, stop_seconds + SPARE_S, never.wait))
    leftovers.end(folder)


def running(folder: Path) -> int:
    """The pid of the process that runs for the workload with this folder; 0 where none does."""
    pids = holders(folder / LOCK)
    return pids[1] if len(pids) == 2 and _exists(pids[1]) else 0  # noqa: PLR2004 - the keeper and its child


def holders(file: Path) -> list[int]:
    """The pids of the keeper that took the lock last and of its child; empty when it ended in order."""
    try:
        return [int(pid) for pid in file.read_text().split()]
    except FileNotFoundError:
        return []


def _lock(file: Path, patience_s: float, pause: Callable[[float], bool]) -> int:
    """The workload's lock, as an open file. A copy that still has it gets the time of an orderly stop."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience_s
    while not lock.locked(descriptor):
        pids = holders(file)
        if time.monotonic() > deadline + SPARE_S:
            raise Conflict(f"another copy holds {str(file)!r} and does not end")
        if pids and (not _exists(pids[0]) or time.monotonic() > deadline):
            _kill_group(pids[-1], signal.SIGKILL)
            leftovers.end(file.parent)
        if pause(PAUSE_S):
            raise Conflict(f"stopped while another copy held {str(file)!r}")
    os.ftruncate(descriptor, 0)
    return descriptor


def _start(found: Definition, root: Path, held: int) -> "subprocess.Popen[bytes]":
    ledger = ports.Ledger(Layout(root).ports).read()
    env = environ.build(found, root, os.environ, ledger)
    command = [environ.filled(part, ledger) for part in found.command]
    try:
        return subprocess.Popen(
            command,
            cwd=found.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=(held,),
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - there are no threads here
        )
    except FileNotFoundError as error:
        raise NotFound(
            f"{found.id!r} cannot start: there is no {error.filename!r}", hint="see its `command`"
        ) from error


def _die_with_parent() -> Callable[[], None] | None:
    """What a child calls first on Linux: when this process is killed, the system kills the child."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def die_with_parent() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return die_with_parent


def _watch(child: "subprocess.Popen[bytes]", stop_seconds: int, orders: Orders) -> int:
    """Wait for the child's end, or bring it about: SIGTERM to its group, then SIGKILL after `stop_seconds`."""
    while child.poll() is None and not orders.to_stop(None):
        pass  # a child's end wakes it too
    if child.returncode is None:
        _kill_group(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):  # then it is killed below
            child.wait(stop_seconds)
    _kill_group(child.pid, signal.SIGKILL)
    status = child.wait()
    return status if status >= 0 else 128 - status


def _pause(seconds: float, orders: Orders) -> None:
    """Put off the next start: the supervisor makes it when this process ends."""
    if seconds:
        _say(f"the process ended; the next start is in {seconds:.0f} s")
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and not orders.to_stop(left):
        pass  # its own child's end may have woken it


def _kill_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left in it; macOS says so the second way
        os.killpg(pid, number)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):  # another user's process has its number now
        return False
    return True


def _say(text: str) -> None:
    sys.stdout.write(f"{SAYS}{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
