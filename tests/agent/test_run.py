"""The agent as a process, with nobody at the other end."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from agent.agent_control import ControlPlane
from agent.agent_vendor import Vendor

from alien_iac import errors
from alien_iac.agent import run, say
from alien_iac.agent.place import Identity, Place, read_identity, write, write_identity

RUN = [sys.executable, "-m", "alien_iac.agent", "--dir"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "agent")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    write(place.key, ControlPlane().private_key)
    write(place.tuf / "first-root.json", Vendor().first_root)
    write(place.say, say.DEFAULT_TEXT.encode())
    identity = Identity(
        control_plane=url, deployment_id="dep_1", customer="acme", platform="local", prefix="acme-123456"
    )
    write_identity(place, identity)
    return place


@pytest.fixture
def agent(place: Place) -> Iterator["subprocess.Popen[bytes]"]:
    with (place.root / "log").open("wb") as log, subprocess.Popen([*RUN, str(place.root)], stderr=log) as process:
        wait_for(place, "on 127.0.0.1")
        yield process
        process.kill()


def wait_for(place: Place, text: str) -> str:
    deadline = time.monotonic() + 30
    while text not in (log := (place.root / "log").read_text()):
        assert time.monotonic() < deadline, log
        time.sleep(0.02)
    return log


def test_it_keeps_trying_says_so_once_and_ends_in_order(agent: "subprocess.Popen[bytes]", place: Place) -> None:
    wait_for(place, "asking what is desired")
    time.sleep(2)
    port = read_identity(place).port
    assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 404
    assert agent.poll() is None
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(20) == 0
    log = wait_for(place, "ended")
    assert log.count("asking what is desired") == 1
    assert "Traceback" not in log


def test_a_folder_has_one_agent_at_a_time(agent: "subprocess.Popen[bytes]", place: Place) -> None:
    second = subprocess.run([*RUN, str(place.root)], capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == errors.Conflict.exit_code
    assert "runs already" in second.stderr
    assert "Traceback" not in second.stderr
    assert agent.poll() is None


def test_its_port_stays_its_own(agent: "subprocess.Popen[bytes]", place: Place) -> None:
    port = read_identity(place).port
    agent.send_signal(signal.SIGKILL)
    agent.wait(20)
    with socket.create_server(("127.0.0.1", port or 0)), pytest.raises(errors.Conflict, match=f"port {port}"):
        run.run(place.root)
    assert read_identity(place).port == port


def test_a_folder_that_is_no_agents_says_how_to_make_one(tmp_path: Path) -> None:
    done = subprocess.run([*RUN, str(tmp_path)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == errors.NotFound.exit_code
    assert "enrol" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_platform_without_an_agent_says_so(place: Place) -> None:
    identity = read_identity(place).model_copy(update={"platform": "aws"})
    with pytest.raises(errors.Unsupported, match="not yet on aws"):
        run.machine_of(place, identity)


def test_settings_come_from_the_environment_and_are_checked() -> None:
    told = run.settings({"ALIEN_AGENT_HEARTBEAT_SECONDS": "1", "ALIEN_AGENT_HEALTH_SECONDS": "30"})
    assert (told.heartbeat_s, told.gate.deadline_s) == (1, 30)
    assert run.settings({"ALIEN_AGENT_HEARTBEAT_SECONDS": "0.5"}).gate.interval_s == 0.5
    assert run.settings({}) == run.Settings()
    with pytest.raises(errors.InvalidInput, match="ALIEN_AGENT_HEARTBEAT_SECONDS"):
        run.settings({"ALIEN_AGENT_HEARTBEAT_SECONDS": "soon"})
