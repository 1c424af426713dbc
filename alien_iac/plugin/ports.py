"""The ports of a deployment: one for each workload that wants one, given once and kept over restarts and releases.

They lie below the range from which systems take the ports of outgoing connections, so that none of those meets them.
"""

import json
import random
import socket
from collections.abc import Callable, Container
from contextlib import suppress
from pathlib import Path

from alien_iac.errors import Conflict, Unavailable
from alien_iac.plugin import files, lock

RANGE = range(20_000, 32_768)
HOST = "127.0.0.1"
ATTEMPTS = 1_000


class Ledger:
    """The file that says which workload has which port. Calls from several threads and processes are safe."""

    def __init__(self, path: Path, *, among: range = RANGE, free: Callable[[int], bool] | None = None) -> None:
        self._path, self._among = path, among
        self._free = free or is_free

    def read(self) -> dict[str, int]:
        """Workload id to port."""
        with suppress(FileNotFoundError):  # no workload has a port yet
            return {str(k): int(v) for k, v in json.loads(self._path.read_text()).items()}
        return {}

    def allocate(self, workload_id: str, fixed: int | None = None) -> int:
        """The workload's port: `fixed` where it is given, else the one it has, else one that is free now.

        Raises Conflict: `fixed` is another workload's. Raises Unavailable: there is no free one.
        """
        with lock.held(self._path.parent):
            ports = self.read()
            port = fixed or ports.get(workload_id) or pick(set(ports.values()), self._among, self._free)
            owner = next((one for one, used in ports.items() if used == port and one != workload_id), None)
            if owner:
                raise Conflict(
                    f"{workload_id!r} wants port {port}, which is {owner!r}'s in this deployment",
                    hint="give it another `listen`, or none",
                )
            if ports.get(workload_id) != port:
                self._write(ports | {workload_id: port})
            return port

    def release(self, workload_id: str) -> None:
        """The workload is gone, and its port may be given to another."""
        if not self._path.exists():
            return
        with lock.held(self._path.parent):
            self._write({one: port for one, port in self.read().items() if one != workload_id})

    def _write(self, ports: dict[str, int]) -> None:
        if ports:
            files.write_private(self._path, json.dumps(ports, sort_keys=True).encode())
        else:
            self._path.unlink(missing_ok=True)


def pick(taken: Container[int], among: range = RANGE, free: Callable[[int], bool] | None = None) -> int:
    """A port of the range that is not taken, and free at this moment. Raises Unavailable."""
    for port in random.sample(among, min(len(among), ATTEMPTS)):
        if port not in taken and (free or is_free)(port):
            return port
    raise Unavailable(f"there is no free port from {among.start} to {among.stop - 1} on this machine")


def is_free(port: int) -> bool:
    """Whether a program could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def taken(workload_id: str, port: int) -> Conflict:
    """The error that another program has the workload's port, and which one where this machine tells."""
    return Conflict(
        f"port {port} of {workload_id!r} is taken by another program{holder(port)}",
        hint=f"end that program (`lsof -i :{port}` shows it), or give the workload another `listen`",
    )


def holder(port: int) -> str:
    """Who listens on the port, as words to append; empty where the system does not say."""
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with suppress(OSError):  # not on this system
            rows = [row.split() for row in table.read_text().splitlines()[1:]]
            inodes |= {f"socket:[{r[9]}]" for r in rows if r[3] == "0A" and int(r[1].rsplit(":", 1)[1], 16) == port}
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            if any(str(one.readlink()) in inodes for one in (process / "fd").iterdir()):
                name = (process / "comm").read_text().strip()
                return f": {name!r}, process {process.name}"
    return ""
