"""What was killed comes back, once: workloads, keepers, supervisors, and whoever was in the middle of an update."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest
from plugin.plugin_engine import Engine, plain
from plugin.plugin_world import PROCESS, SERVER, eventually, get, kill, named, processes, program, server

from alien_iac.plugin.supervisor import ensure_running

STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER
FORKING = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    while True: time.sleep(1)\n" + SERVER


def one_copy(root: Path, url: str) -> dict[str, Any]:
    """What the single copy says; it answers, and there is no other."""
    found: dict[str, Any] = eventually(lambda: get(url))
    assert named(root, "main.py") == [found["pid"]]
    return found


def gone(root: Path, pid: int) -> None:
    eventually(lambda: pid not in named(root, "main.py"))


@pytest.fixture
def running(engine: Engine, tmp_path: Path) -> dict[str, Any]:
    """The outputs of a process that serves."""
    return engine.create(PROCESS, server(program(tmp_path / "code")))[1]


@pytest.mark.parametrize("word", ["main.py", "keeper"])
def test_a_killed_process_and_a_killed_keeper_come_back_once(root: Path, running: dict[str, Any], word: str) -> None:
    for _ in range(2):
        before = get(running["url"])["pid"]
        kill(*named(root, word))
        gone(root, before)
        assert one_copy(root, running["url"])["pid"] != before
    assert len(named(root, "keeper")) == 1


def test_a_killed_supervisor_takes_its_processes_along_and_comes_back_with_all(
    root: Path, running: dict[str, Any]
) -> None:
    for _ in range(2):
        before = named(root, "")
        kill(*named(root, "supervisord"))
        ensure_running(root)
        one_copy(root, running["url"])
        assert len(named(root, "supervisord")) == len(named(root, "keeper")) == 1
        assert not set(before) & set(named(root, ""))


def test_without_anybody_to_start_it_again_nothing_stays(root: Path, running: dict[str, Any]) -> None:
    kill(*named(root, "supervisord"))
    eventually(lambda: not processes(root))
    ensure_running(root)
    one_copy(root, running["url"])


def test_all_killed_at_once(root: Path, running: dict[str, Any]) -> None:
    kill(*named(root, "supervisord"), *named(root, "keeper"), *named(root, "main.py"))
    ensure_running(root)
    one_copy(root, running["url"])


def test_read_starts_a_dead_supervisor(engine: Engine, root: Path, running: dict[str, Any]) -> None:
    kill(*named(root, "supervisord"))
    engine.read(PROCESS, "api")
    one_copy(root, running["url"])


@pytest.mark.slow
def test_a_supervisor_that_hangs_is_replaced(root: Path, running: dict[str, Any]) -> None:
    (hung,) = named(root, "supervisord")
    os.kill(hung, signal.SIGSTOP)
    ensure_running(root)
    assert hung not in named(root, "supervisord")
    one_copy(root, running["url"])


def test_two_who_start_it_at_once(root: Path, running: dict[str, Any]) -> None:
    kill(*named(root, "supervisord"))
    code = (
        "import pathlib, sys\n"
        "from alien_iac.plugin.supervisor import ensure_running\n"
        "ensure_running(pathlib.Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(root)]
    callers = [subprocess.Popen(command) for _ in range(4)]
    assert [caller.wait(60) for caller in callers] == [0] * 4
    assert len(named(root, "supervisord")) == 1
    one_copy(root, running["url"])


def test_nothing_is_started_where_nothing_is_defined(root: Path, tmp_path: Path) -> None:
    ensure_running(root)
    ensure_running(tmp_path / "no such folder")
    assert not list(root.iterdir())
    assert not (tmp_path / "no such folder").exists()


def test_a_stubborn_process_is_killed_in_the_end(engine: Engine, root: Path, tmp_path: Path) -> None:
    inputs = server(program(tmp_path / "code", STUBBORN), stopSeconds=1)
    _, outputs = engine.create(PROCESS, inputs)
    engine.update(PROCESS, inputs, inputs | {"release": "2"})
    one_copy(root, outputs["url"])
    started = time.monotonic()
    engine.delete(PROCESS, inputs)
    assert time.monotonic() - started < 6
    assert not processes(root)


def test_a_stubborn_process_does_not_outlive_its_supervisor(engine: Engine, root: Path, tmp_path: Path) -> None:
    _, outputs = engine.create(PROCESS, server(program(tmp_path / "code", STUBBORN), stopSeconds=1))
    kill(*named(root, "supervisord"))
    ensure_running(root)
    eventually(lambda: len(named(root, "main.py")) == 1)
    one_copy(root, outputs["url"])


@pytest.mark.parametrize("word", ["main.py", "keeper", "supervisord"])
def test_children_that_left_the_group_do_not_stay(engine: Engine, root: Path, tmp_path: Path, word: str) -> None:
    inputs = server(program(tmp_path / "code", FORKING), stopSeconds=1)
    _, outputs = engine.create(PROCESS, inputs)
    before = set(named(root, "main.py"))
    assert len(before) == 2
    kill(get(outputs["url"])["pid"]) if word == "main.py" else kill(*named(root, word))
    ensure_running(root)
    eventually(lambda: not before & set(named(root, "main.py")) and get(outputs["url"]))
    assert len(named(root, "main.py")) == 2
    engine.delete(PROCESS, inputs)
    assert not processes(root)


def test_a_deployment_below_a_symbolic_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    below = tmp_path / "link/data"
    inputs = server(program(tmp_path / "code", FORKING), stopSeconds=1)
    with Engine.started() as engine:
        engine.configure(below).create(PROCESS, inputs)
        assert len(named(root, "main.py")) == 2
        kill(*named(root, "supervisord"), *named(root, "keeper"))
        engine.delete(PROCESS, inputs)
    assert not processes(root)
    assert not below.exists()


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("word", ["nothing", "keeper"])
def test_all_ends_when_the_folder_is_removed_by_hand(root: Path, word: str) -> None:
    assert processes(root)
    shutil.rmtree(root)
    kill(*named(root, word))
    eventually(lambda: not processes(root))


@pytest.mark.usefixtures("running")
def test_deleting_with_a_dead_supervisor(engine: Engine, root: Path, tmp_path: Path) -> None:
    kill(*named(root, "supervisord"))
    engine.delete(PROCESS, server(str(tmp_path / "code")))
    assert not processes(root)
    assert not root.exists()


@pytest.mark.slow
def test_a_plugin_killed_in_an_update_leaves_the_new_version_running(root: Path, tmp_path: Path) -> None:
    slow = "import time; time.sleep(2)\n" + SERVER
    old = server(program(tmp_path / "code"))
    new = old | {"code": program(tmp_path / "slow", slow), "env": {"VERSION": "2"}}

    def kill_in_the_middle() -> None:
        eventually(lambda: '"VERSION"' in (root / "supervisor/processes/api.json").read_text())
        engine.process.kill()

    with Engine.started() as engine:
        _, outputs = engine.configure(root).create(PROCESS, old)
        threading.Thread(target=kill_in_the_middle).start()
        with pytest.raises(grpc.RpcError):
            engine.update(PROCESS, old, new)
    ensure_running(root)
    assert eventually(lambda: get(outputs["url"])["env"].get("VERSION")) == "2"
    one_copy(root, outputs["url"])
    with Engine.started() as engine:
        engine.configure(root).update(PROCESS, old, new)
        one_copy(root, outputs["url"])


@pytest.mark.parametrize("delay", [0.0, 0.3, 1.0])
def test_a_supervisor_killed_in_an_update(engine: Engine, root: Path, tmp_path: Path, delay: float) -> None:
    old = server(program(tmp_path / "code"))
    engine.create(PROCESS, old)
    victims = named(root, "supervisord")
    timer = threading.Timer(delay, kill, victims)
    timer.start()
    outputs = engine.update(PROCESS, old, old | {"env": {"VERSION": "2"}})
    timer.join()
    ensure_running(root)
    assert eventually(lambda: get(outputs["url"])["env"]["VERSION"]) == "2"
    one_copy(root, outputs["url"])
    assert len(named(root, "supervisord")) == 1


@pytest.mark.slow
def test_what_keeps_failing_is_tried_again_ever_more_slowly(engine: Engine, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    text = (
        f"import time\nwith open({str(marks)!r}, 'a') as file: file.write(f'{{time.time()}}\\n')\nraise SystemExit(1)"
    )
    inputs = server(program(tmp_path / "code", text))
    with pytest.raises(grpc.RpcError):
        engine.create(PROCESS, inputs)
    times = eventually(lambda: (found := [float(line) for line in marks.read_text().split()])[4:] and found, 30)
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[3] > 8 > pauses[0] > 1
    assert plain(engine.read(PROCESS, "api", inputs).properties)["status"] == "failing"
    Path(inputs["code"], "main.py").write_text(SERVER)
    port = engine.read(PROCESS, "api", inputs).properties["port"]
    eventually(lambda: get(f"http://127.0.0.1:{int(port)}"), 30)
