"""A folder's lock: one holder at a time among all threads and processes of this machine, freed when its holder dies.

The folder itself is what is locked, so that no lock file stays behind. A holder that removes it gives the lock up by
that: who comes next makes a new folder.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alien_iac.errors import Unavailable
from alien_iac.plugin import files

PATIENCE_S = 120.0
PAUSE_S = 0.02


@contextmanager
def held(folder: Path, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the folder's lock, making the folder where there is none. Raises Unavailable after `patience_s`."""
    deadline = time.monotonic() + patience_s
    while (descriptor := _attempt(folder)) is None:
        if time.monotonic() > deadline:
            raise Unavailable(
                f"another process has worked on {str(folder)!r} for more than {patience_s:.0f} s",
                hint=f"see which with `fuser {folder}`, and try again when it has ended",
            )
        time.sleep(PAUSE_S)
    try:
        yield
    finally:
        os.close(descriptor)


def _attempt(folder: Path) -> int | None:
    try:
        files.folder(folder)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except (FileExistsError, FileNotFoundError):  # a holder removed it meanwhile
        if folder.is_file():
            raise
        return None
    if locked(descriptor) and _is_still(folder, descriptor):
        return descriptor
    os.close(descriptor)
    return None


def locked(descriptor: int) -> bool:
    """Whether the lock could be had at once. It is freed when the last copy of the descriptor is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(folder: Path, descriptor: int) -> bool:
    """Whether the folder that was locked has not been removed, or replaced, by the holder before."""
    try:
        return os.path.samestat(os.fstat(descriptor), folder.stat())
    except FileNotFoundError:
        return False
