"""Programs from npm that tests run: each installed once, pinned, beside this environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import filelock
import pytest


def installed(package: str) -> Path:
    """The `node_modules` folder that holds a package, as `azurite@3.35.0`. Skips the test where there is no node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip(f"{package} needs node and npm, and they are not here")
    folder = Path(sys.prefix) / "tools" / package.replace("@", "-")
    folder.parent.mkdir(exist_ok=True)
    with filelock.FileLock(folder.with_suffix(".lock")):
        if not (folder / "ready").exists():
            install = [npm, "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), package]
            subprocess.run(install, check=True, timeout=300)
            (folder / "ready").touch()
    return folder / "node_modules"


@contextmanager
def running(
    command: list[str], says: re.Pattern[str], times: int, folder: Path, env: Mapping[str, str]
) -> Iterator[list[tuple[str, ...]]]:
    """A program, once it has said so many lines that fit; yields their groups. It is ended at the end."""
    whole = {"PATH": os.environ["PATH"], **env}
    process = subprocess.Popen(
        ["node", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=whole, cwd=folder
    )
    try:
        yield _said(process, says, times)
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout:
            process.stdout.close()


def _said(process: subprocess.Popen[str], says: re.Pattern[str], times: int) -> list[tuple[str, ...]]:
    """Read until it has said enough, and go on reading, so that it never waits for a reader."""
    spoken: Queue[str] = Queue()

    def read() -> None:
        for line in process.stdout or ():
            spoken.put(line)

    threading.Thread(target=read, daemon=True).start()
    found: list[tuple[str, ...]] = []
    lines: list[str] = []
    while len(found) < times:
        try:
            lines.append(spoken.get(timeout=30))
        except Empty:
            raise RuntimeError(f"{process.args!r} did not start:\n{''.join(lines)}") from None
        found += [match.groups() for match in says.finditer(lines[-1])]
    return found
