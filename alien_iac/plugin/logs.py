"""The log of a workload on `local`: both streams of its process, in one file that is rotated at a size."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from alien_iac.errors import NotFound
from alien_iac.plugin import conf
from alien_iac.protocol.local import Layout

POLL_S = 0.25
CHUNK = 64 * 1024


def place(local_dir: Path, workload: str) -> Path:
    """The file with the newest lines."""
    return Layout(local_dir).workload(workload) / "log" / "output.log"


def tail(local_dir: Path, workload: str, lines: int) -> list[str]:
    """The last lines, oldest first, over the rotated files too. Raises NotFound: there is no such workload."""
    newest = place(local_dir, workload)
    if not newest.parent.is_dir():
        known = sorted(one.name for one in Layout(local_dir).workload(".").glob("*"))
        raise NotFound(
            f"there is no workload {workload!r} in {str(local_dir)!r}", hint=f"known: {', '.join(known) or 'none'}"
        )
    found: list[str] = []
    for file in (newest, *(newest.with_name(f"{newest.name}.{n}") for n in range(1, conf.KEPT_LOGS + 1))):
        if len(found) < lines and file.is_file():
            found = _last(file, lines - len(found)) + found
    return found


def follow(
    local_dir: Path, workload: str, lines: int = 10, *, pause: Callable[[float], None] = time.sleep
) -> Iterator[str]:
    """The last lines, and then each new one as it comes, over rotations, until the caller stops asking."""
    last, newest = tail(local_dir, workload, lines), place(local_dir, workload)
    newest.touch(mode=0o600)
    with ExitStack() as stack:
        file, rest = stack.enter_context(newest.open("rb")), b""
        file.seek(0, os.SEEK_END)
        yield from last
        while True:
            data = file.read(CHUNK)
            *whole, rest = (rest + data).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
            if not data and _was_rotated(file, newest):
                stack.close()
                file = stack.enter_context(newest.open("rb"))
            elif not data:
                pause(POLL_S)


def _last(file: Path, lines: int) -> list[str]:
    """The last lines of one file, read from its end."""
    with file.open("rb") as opened:
        start, data = opened.seek(0, os.SEEK_END), b""
        while start and data.count(b"\n") <= lines:
            length = min(CHUNK, start)
            start = opened.seek(start - length)
            data = opened.read(length) + data
    return data.decode(errors="replace").splitlines()[-lines:] if lines > 0 else []


def _was_rotated(file: IO[bytes], newest: Path) -> bool:
    """Whether the file is not the newest any more. As long as it is open, no other has its number."""
    return newest.exists() and not os.path.samestat(os.fstat(file.fileno()), newest.stat())
