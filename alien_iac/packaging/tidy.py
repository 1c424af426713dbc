"""Takes out of installed requirements what differs from one installation to the next: paths, times, compiled files."""

import re
import shutil
from pathlib import Path

_NOISE = ("direct_url.json", "RECORD", "INSTALLER", "REQUESTED", "uv_build.json", "uv_cache.json")
_SHEBANG = re.compile(rb"\A#!(?:/bin/sh\n'''exec' [^\n]*\n' '''|[^\n]*python[^\n]*)\n")


def tidy(folder: Path, *, scripts: bool = True) -> None:
    """Make two installations of the same requirements the same, wherever they were made.

    `scripts`: whether the commands that they bring are kept.
    """
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and path.name == "__pycache__":
            shutil.rmtree(path)
        elif path.suffix == ".pyc" or (path.name in _NOISE and path.parent.name.endswith(".dist-info")):
            path.unlink(missing_ok=True)
    (folder / ".lock").unlink(missing_ok=True)
    if not scripts:
        shutil.rmtree(folder / "bin", ignore_errors=True)
    for script in (folder / "bin").glob("*"):
        _mend(script)


def _mend(script: Path) -> None:
    """A script starts whatever Python is there where it runs, not the one of the machine that packaged it."""
    content = script.read_bytes()
    mended = _SHEBANG.sub(b"#!/usr/bin/env python3\n", content)
    if mended != content:
        script.write_bytes(mended)
