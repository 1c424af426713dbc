"""Emulators of clouds for tests: each in an environment of its own, started once for a session, ended after it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast

import filelock
import uv

T = TypeVar("T")
_BEFORE_ANY_TEST = MappingProxyType(dict(os.environ))
"""A test that sends its requests through a proxy of its own must not send the installer there too."""


class Emulators:
    """What was started so far."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._running: dict[Callable[[], object], object] = {}

    def get(self, start: Callable[[], AbstractContextManager[T]]) -> T:
        """What `start` yields; it is entered at the first call, and left when the session ends."""
        if start not in self._running:
            self._running[start] = self._stack.enter_context(start())
        return cast("T", self._running[start])

    def end(self) -> None:
        self._stack.close()


def tool_environment(*requirements: str) -> Path:
    """The `bin` folder of a virtual environment that holds these pinned requirements, apart from the tests' own.

    Test tools pin what they need, often against us. Made once (about a second from uv's cache), kept beside this
    environment and removed with it.
    """
    name = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:12]
    folder = Path(sys.prefix) / "tools" / name
    folder.parent.mkdir(exist_ok=True)
    with filelock.FileLock(folder.with_suffix(".lock")):
        if not (folder / "ready").exists():
            command = uv.find_uv_bin()
            make = [command, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)]
            install = [command, "pip", "install", "--quiet", "--python", str(folder), *requirements]
            for step in (make, install):
                subprocess.run(step, check=True, timeout=300, env=_BEFORE_ANY_TEST)
            (folder / "ready").touch()
    return folder / "bin"
