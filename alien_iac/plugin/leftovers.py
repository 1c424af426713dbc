"""Processes of a workload that outlived their keeper: found by what their environment says, and killed.

Only Linux shows another process's environment; elsewhere the workload's lock, which its processes inherit, tells.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from alien_iac.plugin.environ import FOLDER_NAME

ROUNDS = 50
PAUSE_S = 0.05


def end(folder: Path) -> None:
    """Kill every process that was started for the workload with this folder, and wait until they are gone."""
    for _ in range(ROUNDS):
        found = processes(folder)
        if not found:
            return
        for pid in found:
            with suppress(ProcessLookupError):  # it ended by itself
                os.kill(pid, signal.SIGKILL)
        time.sleep(PAUSE_S)


def processes(folder: Path) -> list[int]:
    """The pids of those processes, without this one."""
    mark = f"{FOLDER_NAME}={folder.resolve()}\0".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            if mark in (place / "environ").read_bytes() and int(place.name) != os.getpid():
                found.append(int(place.name))
    return found
