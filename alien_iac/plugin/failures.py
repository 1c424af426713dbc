"""How often in a row a workload's process ended soon after its start, and how long to wait until the next try.

It is never given up: what it needs may come back. Only it is tried less and less often.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from alien_iac.plugin import files

STEADY_S = 30.0
"""A process that lived so long has not failed to start, however it ended."""
LONGEST_S = 60.0


@dataclass(frozen=True)
class Failures:
    """The starts that failed since the last that did not, and the last one's exit status."""

    count: int = 0
    status: int = 0


def path(folder: Path) -> Path:
    """The record in the workload's folder; absent where the last start did not fail."""
    return folder / "failures.json"


def read(folder: Path) -> Failures:
    """What is on record."""
    try:
        return Failures(**json.loads(path(folder).read_text()))
    except FileNotFoundError:
        return Failures()


def record(folder: Path, status: int, lived_s: float) -> float:
    """Note that the process ended by itself. Returns the seconds until it should be started again."""
    if lived_s >= STEADY_S:
        path(folder).unlink(missing_ok=True)
        return 0.0
    found = Failures(read(folder).count + 1, status)
    files.write_private(path(folder), json.dumps(asdict(found)).encode())
    return pause_s(found.count)


def pause_s(count: int) -> float:
    """One second after the first failed start, then twice as long each time, up to a minute."""
    return min(2.0 ** min(count - 1, 10), LONGEST_S)
