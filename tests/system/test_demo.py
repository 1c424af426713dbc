"""`alien demo` as a newcomer runs it: it ends well, leaves nothing, and cleans up after itself whatever happens."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from system.system_fleet import of_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("UV_CACHE_DIR") or Path.home() / ".cache" / "uv")
"""The one thing that is shared with whatever else uses uv on the machine."""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What of a clone the demo takes."""
    shutil.copytree(ROOT / "stacks", tmp_path / "clone" / "stacks", ignore=shutil.ignore_patterns("Pulumi.*.yaml"))
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path / "clone")
    return tmp_path / "clone"


@pytest.fixture
def surroundings(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """An environment whose home and temporary folder are empty before, and must be so after."""
    places = {"HOME": tmp_path / "home", "TMPDIR": tmp_path / "temporary"}
    for place in places.values():
        place.mkdir()
    yield {**os.environ, **{name: str(place) for name, place in places.items()}, "UV_CACHE_DIR": str(CACHE)}
    assert {name: list(place.iterdir()) for name, place in places.items()} == {name: [] for name in places}


class Demo:
    """A running `alien demo`; what it prints is in a file."""

    def __init__(self, clone: Path, environment: Mapping[str, str]) -> None:
        self.said = clone.parent / "said.txt"
        with self.said.open("w") as said:
            command = [sys.executable, "-m", "alien_iac.cli", "demo", "--once", "--project", str(clone)]
            self.process = subprocess.Popen(command, stdout=said, stderr=said, env=environment, start_new_session=True)

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + 120
        while text not in self.said.read_text():
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.1)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(120)


def test_it_ends_well_and_leaves_nothing(clone: Path, surroundings: Mapping[str, str]) -> None:
    demo = Demo(clone, surroundings)
    assert demo.process.wait(300) == 0, demo.said.read_text()
    assert "19 of 19 things were seen" in demo.said.read_text()
    assert not of_folder(clone)
    assert {path.name for path in clone.iterdir()} == {"Pulumi.yaml", "stacks", ".demo"}
    for log in (clone / ".demo").rglob("*.log*"):
        assert "Traceback" not in log.read_text(errors="replace"), log


def test_killed_it_is_cleaned_up_by_the_next_and_interrupted_it_ends_cleanly(
    clone: Path, surroundings: Mapping[str, str]
) -> None:
    killed = Demo(clone, surroundings)
    killed.wait_for("canary: ")
    killed.end(signal.SIGKILL)
    assert of_folder(clone)
    demo = Demo(clone, surroundings)
    demo.wait_for("three agents polled")
    second = subprocess.run(demo.process.args, capture_output=True, text=True, env=surroundings, check=False)
    assert second.returncode == 4
    assert "another process has" in second.stderr
    assert demo.end(signal.SIGINT) == 130
    assert not of_folder(clone)
    assert "Traceback" not in demo.said.read_text()
