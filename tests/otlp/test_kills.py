"""The whole way, with real processes killed at random: telemetry loses only what a counter admits."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agent.agent_processes import Agent, ControlPlane, Vendor
from runtime.runtime_workload import eventually

from alien_iac.plugin import keeper
from alien_iac.protocol.local import Layout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WORKER = """
import logging
from alien_iac.runtime import command

log = logging.getLogger("shop")

@command("count")
def count(first: int, many: int) -> int:
    for number in range(first, first + many):
        log.warning("number", extra={"thread.id": number})
        print("printed by hand: " + str(number))
    return many
"""
ROUNDS, MANY = 6, 25


@pytest.fixture
def control(tmp_path: Path) -> Iterator[ControlPlane]:
    control = ControlPlane(tmp_path / "control")
    (tmp_path / "control").mkdir()
    control.start()
    yield control
    control.stop()


@pytest.fixture
def agent(tmp_path: Path, control: ControlPlane) -> Iterator[Agent]:
    vendor = Vendor(tmp_path / "vendor", control)
    vendor.init()
    vendor.release("1.0", WORKER)
    agent = Agent(tmp_path / "agent", control)
    agent.enrol()
    agent.start()
    agent.want("1.0")
    agent.wait(lambda one: (one.release, one.status, one.health) == ("1.0", "running", "healthy"))
    yield agent
    agent.clear()


def items(control: ControlPlane, what: str, **query: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = control.call("GET", f"/telemetry/{what}", limit=500, **query, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page.get("next")
        if not cursor:
            return found


def numbers(control: ControlPlane) -> set[int]:
    lines = items(control, "logs", name="number")
    return {line["attributes"]["thread.id"] for line in lines}


def lost(control: ControlPlane) -> float:
    """What any hop says that it lost, and the control plane itself."""
    newest: dict[str, float] = {}
    for point in items(control, "metrics", name="alien.telemetry.lost"):
        newest.setdefault(f"{point['workload']} {json.dumps(point['attributes'], sort_keys=True)}", point["value"])
    own: dict[str, int] = control.call("GET", "/telemetry/state").get("lost", {})
    return sum(newest.values()) + sum(own.values())


def test_what_is_missing_in_the_end_was_counted(control: ControlPlane, agent: Agent) -> None:
    sent = 0
    for number in range(ROUNDS):
        status = control.command(agent.deployment_id, "count", first=sent, many=MANY)
        assert status.state == "SUCCEEDED", status
        sent += MANY
        match ("worker", "agent", "control")[number % 3]:
            case "worker":
                kill_worker(agent)
            case "agent":
                agent.stop(signal.SIGKILL)
                agent.start()
            case "control":
                control.stop(signal.SIGKILL)
                control.start()
    eventually(lambda: len(numbers(control)) + lost(control) >= sent, 60)
    assert numbers(control) <= set(range(sent))
    assert "printed by hand" not in json.dumps(items(control, "logs"))
    assert len(items(control, "traces", name="command count")) >= ROUNDS
    the_customers_word_counts_at_once(control, agent)


def kill_worker(agent: Agent) -> None:
    pid = keeper.running(Layout(agent.folder / "data").workload("worker"))
    if pid:
        os.kill(pid, signal.SIGKILL)


def the_customers_word_counts_at_once(control: ControlPlane, agent: Agent) -> None:
    say = agent.folder / "customer.yaml"
    say.write_text(say.read_text().replace("telemetry: events", "telemetry: full"))
    eventually(lambda: printed(control, agent))
    say.write_text(say.read_text().replace("telemetry: full", "telemetry: off"))
    eventually(lambda: quiet(control, agent), 60)


def printed(control: ControlPlane, agent: Agent) -> bool:
    control.command(agent.deployment_id, "count", first=0, many=1)
    return "printed by hand" in json.dumps(items(control, "logs"))


def quiet(control: ControlPlane, agent: Agent) -> bool:
    before = control.call("GET", "/telemetry/logs/follow")["after"]
    control.command(agent.deployment_id, "count", first=0, many=1)
    after = control.call("GET", "/telemetry/logs/follow", after=before, wait=3)
    return not after["items"]
