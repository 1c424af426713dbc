"""Updates that are cancelled or killed: what was done is recorded, what was going on is pending, the next goes on."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from engine.probe_programs import empty, things
from engine.probed import Probed

from alien_iac.engine import update
from alien_iac.engine.command import EmbeddedPulumi
from alien_iac.engine.model import Request, Result

SLOW = things(("quick", {"value": "1"}), ("slow", {"value": "1", "wait": 60}))
SAME = things(("quick", {"value": "1"}), ("slow", {"value": "1"}))

CHILD = """
import sys
from pathlib import Path
from engine.probed import Probed
from engine.test_interruptions import SLOW
from alien_iac.engine.command import EmbeddedPulumi
Probed(Path(sys.argv[1]), EmbeddedPulumi()).up(SLOW)
"""


def eventually(holds: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process does anything yet: one that has ended may wait for long until somebody asks for its code."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(told.strip()) and not told.startswith("Z")


def importing(**more: str) -> dict[str, str]:
    """An environment in which a child finds what this process finds."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **more}


def slow_is_being_made(folder: Path) -> bool:
    calls = folder / "world" / "calls.jsonl"
    done = calls.read_text() if calls.exists() else ""
    return '"begin"' in done and '"create"' in done


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A stack whose update was killed while it made a resource."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], env=importing())
    try:
        eventually(lambda: slow_is_being_made(tmp_path))
        time.sleep(0.2)  # so that the end of the quick one is recorded
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    return tmp_path


def test_a_killed_update_leaves_what_it_did_and_what_it_was_doing(killed: Path) -> None:
    probed = Probed(killed, EmbeddedPulumi())
    assert probed.names() == ["quick"]
    (pending,) = probed.pending()
    assert (pending["type"], pending["resource"]["urn"].split("::")[-1]) == ("creating", "slow")

    assert "the stack is currently locked by 1 lock(s)" in probed.failing("up", SAME)
    probed.stack.cancel()
    result = probed.run("up", SAME)
    assert result.summary.resource_changes == {"same": 2, "create": 1}
    assert "with 1 pending operations from previous deployment." in result.stdout
    assert "Thing::slow, interrupted while creating" in result.stdout

    assert len(probed.pending()) == 1
    probed.run("refresh", SAME)
    assert len(probed.pending()) == 1
    probed.run("refresh", SAME, clear_pending_creates=True)
    assert probed.pending() == []
    assert probed.names() == ["quick", "slow"]


def cancelling(cancel: threading.Event) -> EmbeddedPulumi:
    """A command whose updates can be cancelled from a test."""

    def run(request: Request, out: Callable[[str], None], _: threading.Event) -> Result:
        return update.run(request, out, cancel)

    return EmbeddedPulumi(run)


def test_a_cancelled_update_ends_what_runs_and_begins_nothing_more(tmp_path: Path) -> None:
    cancel = threading.Event()
    probed = Probed(tmp_path, cancelling(cancel))
    program = things(("a", {"value": "1", "wait": 0.6}), ("b", {"value": "1", "wait": 0.6}))

    def cancel_when_begun() -> None:
        eventually(lambda: probed.calls("begin"))
        cancel.set()

    watcher = threading.Thread(target=cancel_when_begun)
    watcher.start()
    said = probed.failing("up", program, parallel=1)
    watcher.join()
    assert "error: update canceled" in said
    assert [op for op, _ in probed.calls()] == ["begin", "create"]
    assert len(probed.names()) == 1
    assert probed.pending() == []
    assert "cancelled" in (tmp_path / "world" / "cancelled").read_text()


def test_plugins_end_with_the_update(tmp_path: Path) -> None:
    probed = Probed(tmp_path, EmbeddedPulumi())
    probed.up(things(("a", {"value": "1"})))
    pids = [int(line) for line in (tmp_path / "world" / "plugins").read_text().split()]
    eventually(lambda: not any(alive(pid) for pid in pids), 5)
    probed.run("destroy", empty)


def test_no_plugin_outlives_the_process_that_ends_right_after_the_update(tmp_path: Path) -> None:
    code = CHILD.replace("SLOW", "SAME")
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=importing(PROBE_STAYS="1"), check=True, timeout=60)
    pids = [int(line) for line in (tmp_path / "world" / "plugins").read_text().split()]
    assert len(pids) == 1
    assert not any(alive(pid) for pid in pids)


def test_a_replacement_is_finished_after_the_new_one_failed(tmp_path: Path) -> None:
    probed = Probed(tmp_path, EmbeddedPulumi())
    probed.up(things(("a", {"value": "1", "slot": "x"})))
    probed.failing("up", things(("a", {"value": "1", "slot": "y", "fail": "create"})))
    assert probed.world() == {}
    assert probed.resource("a")["pendingReplacement"] is True
    assert probed.up(things(("a", {"value": "1", "slot": "y"}))) == {"same": 1, "replace": 1}
    assert len(probed.world()) == 1
    assert "pendingReplacement" not in probed.resource("a")


def test_a_pending_replacement_that_is_wanted_no_more_is_forgotten(tmp_path: Path) -> None:
    probed = Probed(tmp_path, EmbeddedPulumi())
    probed.up(things(("a", {"value": "1", "slot": "x"})))
    probed.failing("up", things(("a", {"value": "1", "slot": "y", "fail": "create"})))
    probed.forget()
    assert probed.up(empty) == {"same": 1}
    assert probed.calls() == []
    assert probed.names() == []


def test_what_could_not_be_deleted_after_its_replacement_is_deleted_later(tmp_path: Path) -> None:
    probed = Probed(tmp_path, EmbeddedPulumi())
    probed.up(things(("a", {"kind": "x", "fail": "delete"})))
    probed.failing("up", things(("a", {"kind": "y"})))
    assert [r.get("delete", False) for r in probed.state() if r["type"] == "probe:index:Thing"] == [False, True]
    (stuck,) = [r["id"] for r in probed.state() if r.get("delete")]
    probed.failing("up", things(("a", {"kind": "y"})))
    assert stuck in probed.world()
    assert len(probed.names()) == 2


def test_a_plugin_that_dies_fails_its_step_and_no_more(tmp_path: Path) -> None:
    probed = Probed(tmp_path, EmbeddedPulumi())

    def kill_when_begun() -> None:
        eventually(lambda: slow_is_being_made(tmp_path))
        time.sleep(0.2)  # so that the end of the quick one is recorded
        for pid in (tmp_path / "world" / "plugins").read_text().split():
            os.kill(int(pid), signal.SIGKILL)

    killer = threading.Thread(target=kill_when_begun)
    killer.start()
    said = probed.failing("up", SLOW)
    killer.join()
    assert "error: update failed" in said
    assert probed.names() == ["quick"]
    assert probed.pending() == []
    assert probed.up(SAME) == {"same": 2, "create": 1}
