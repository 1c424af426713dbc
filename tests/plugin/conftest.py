"""A running plugin, spoken to as an engine does, and a deployment of which nothing is left after the test."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from plugin_engine import Engine

from alien_iac.plugin import leftovers


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine.started() as engine:
        yield engine


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A deployment's folder, with a space and signs in its name that formats like to trip over."""
    root = tmp_path / "local dir; #1"
    root.mkdir()
    yield root
    _take_down(root)


def _take_down(root: Path) -> None:
    """End whatever a failed test left: the supervisor first, so that it starts nothing anew."""
    with suppress(FileNotFoundError, ProcessLookupError):  # none runs
        os.kill(int((root / "supervisor" / "supervisord.pid").read_text()), signal.SIGKILL)
    for folder in (root / "workloads").glob("*"):
        leftovers.end(folder)
    shutil.rmtree(root, ignore_errors=True)
