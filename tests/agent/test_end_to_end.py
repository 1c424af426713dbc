"""A release's whole way, with nothing but real processes, real signatures and real updates."""

import base64
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agent.agent_processes import Agent, ControlPlane, Vendor

from alien_iac.protocol import arc
from alien_iac.protocol.api import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WORKER = """
import os
from alien_iac.runtime import command, health

@command("version")
def version(delay: float = 0) -> dict:
    return {{"version": "{version}", "release": os.environ["ALIEN_RELEASE"]}}

@health
def check() -> None:
    {check}
"""
WELL = "return None"
ILL = 'raise RuntimeError("the index is gone")'


def worker(version: str, check: str = WELL) -> str:
    return WORKER.format(version=version, check=check)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[ControlPlane]:
    control = ControlPlane(tmp_path / "control")
    (tmp_path / "control").mkdir()
    control.start()
    yield control
    control.stop()


@pytest.fixture
def vendor(tmp_path: Path, control: ControlPlane) -> Vendor:
    vendor = Vendor(tmp_path / "vendor", control)
    vendor.init()
    return vendor


@pytest.fixture
def agent(tmp_path: Path, control: ControlPlane, vendor: Vendor) -> Iterator[Agent]:
    vendor.release("1.0", worker("one"))
    agent = Agent(tmp_path / "agent", control)
    agent.enrol()
    agent.start()
    yield agent
    agent.clear()


def answer(status: arc.CommandStatus) -> object:
    assert isinstance(status.response, arc.Success), status
    assert isinstance(status.response.response, arc.Inline)
    return json.loads(base64.b64decode(status.response.response.inline_base64))


def run(agent: Agent, version: str) -> None:
    agent.want(version)
    agent.wait(lambda one: is_well(one, version))


def is_well(one: Deployment, version: str) -> bool:
    return (one.release, one.status, one.health) == (version, "running", "healthy")


def test_a_release_runs_answers_is_replaced_and_a_broken_one_is_taken_back(
    agent: Agent, control: ControlPlane, vendor: Vendor
) -> None:
    run(agent, "1.0")
    assert answer(control.command(agent.deployment_id, "version")) == {"version": "one", "release": "1.0"}

    vendor.release("2.0", worker("two"))
    run(agent, "2.0")
    assert answer(control.command(agent.deployment_id, "version")) == {"version": "two", "release": "2.0"}

    vendor.release("3.0", worker("three", ILL))
    agent.want("3.0")
    agent.wait(lambda one: "RuntimeError" in one.message and (one.release, one.health) == ("2.0", "healthy"))
    assert answer(control.command(agent.deployment_id, "version")) == {"version": "two", "release": "2.0"}

    assert agent.stop() == 0
    assert "Traceback" not in agent.log.read_text()


def test_killed_in_the_middle_of_an_update_it_ends_the_update_after_a_restart(
    agent: Agent, control: ControlPlane, vendor: Vendor
) -> None:
    run(agent, "1.0")
    vendor.release("2.0", worker("two"))
    agent.want("2.0")
    for resumed in range(2):
        until(lambda: bool(locks(agent)), agent)
        until(lambda: agent.log.read_text().count("resuming") == resumed, agent)  # noqa: B023 - waited for right here
        agent.stop(signal.SIGKILL)
        agent.start()
    agent.wait(lambda one: is_well(one, "2.0"))
    assert answer(control.command(agent.deployment_id, "version")) == {"version": "two", "release": "2.0"}
    assert locks(agent) == []
    assert len(copies_of_the_worker(agent)) == 1


def locks(agent: Agent) -> list[Path]:
    return list((agent.folder / "backend/.pulumi/locks").rglob("*.json"))


def copies_of_the_worker(agent: Agent) -> list[str]:
    """The processes of the workload, by their command lines."""
    lines = subprocess.check_output(["ps", "-e", "-ww", "-o", "args"], text=True).splitlines()
    return [line for line in lines if "alien_iac.runtime.function" in line and str(agent.folder) in line]


def until(claim: Callable[[], bool], agent: Agent) -> None:
    deadline = time.monotonic() + 60
    while not claim():
        assert time.monotonic() < deadline, agent.log.read_text()[-4000:]
        time.sleep(0.005)
