"""A running plugin, spoken to as an engine does, and a deployment of which nothing is left after the test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from plugin.plugin_engine import Engine
from plugin.plugin_world import kill, processes


@pytest.fixture(scope="module")
def started() -> Iterator[Engine]:
    with Engine.started() as engine:
        yield engine


@pytest.fixture
def engine(started: Engine, root: Path) -> Engine:
    """A plugin that works on `root`."""
    return started.configure(root)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A deployment's folder, with a space and signs in its name that formats like to trip over."""
    root = tmp_path / "local dir; #1"
    root.mkdir()
    yield root
    _take_down(root)


def _take_down(root: Path) -> None:
    """End whatever a failed test left. A supervisor among it may start one more process while it is being killed."""
    for _ in range(50):
        if not (found := processes(root)):
            break
        kill(*sorted(found))
    shutil.rmtree(root, ignore_errors=True)
