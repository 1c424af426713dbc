"""Start a supervisor that outlives whoever asked for it: `python -m alien_iac.plugin.launch FOLDER`.

It has a session of its own and no stdio of its starter, which would wait for its end otherwise. It holds the lock on
`alive` from before its first instruction to its last, however it ends.
"""

import os
import sys
from pathlib import Path

from alien_iac.plugin import lock

ALIVE = "alive"
ERRORS = "errors.log"
RUNS_ALREADY = 3


def main(argv: list[str]) -> int:
    """Exit status 0: it was started. 3: one runs already."""
    os.chdir(argv[1])
    os.umask(0o077)
    held = os.open(ALIVE, os.O_RDWR | os.O_CREAT, 0o600)
    if not lock.locked(held):
        return RUNS_ALREADY
    os.set_inheritable(held, True)
    if os.fork():
        return 0
    os.setsid()
    nothing, errors = os.open(os.devnull, os.O_RDWR), os.open(ERRORS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for source, target in ((nothing, 0), (nothing, 1), (errors, 2)):
        os.dup2(source, target)
    command = [sys.executable, "-P", "-m", "alien_iac.plugin.supervisord"]
    return os.execv(sys.executable, command)  # noqa: S606 - the point is to become it


def lives(folder: Path) -> bool:
    """Whether a supervisor of this folder lives, whether it answers or not."""
    try:
        descriptor = os.open(folder / ALIVE, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not lock.locked(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
