"""Several instances of the control plane on one Postgres: what one writes wakes who waits at another."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from control.control_fleet import Robot, inline, publish, trusted
from control.control_process import Process
from sqlalchemy import URL

from alien_iac.control.store.postgres import VARIABLE, from_words, payloads
from alien_iac.errors import InvalidInput

POLICY = {"waves": [{"name": "all", "bake": "0s"}], "verify": {"every": "1s", "successes": 1}}
WORKER = {"resourceId": "w", "resourceType": "worker"}


@pytest.fixture
def two(tmp_path: Path, empty_database: URL) -> Iterator[tuple[Process, Process]]:
    """Two that begin at once on an empty database and an empty folder."""
    more = ("--database", empty_database.render_as_string())
    made = (Process(tmp_path / "data", more=more), Process(tmp_path / "data", more=more))
    with ThreadPoolExecutor() as pool:
        list(pool.map(Process.start, made))
    yield made
    for each in made:
        each.kill()


def _enrolled(process: Process) -> Robot:
    robot = Robot(process, frozenset())
    robot.enrol("acme")
    body = {"id": "0", "revision": 0, "phase": "unchanged", "targets": [WORKER]}
    process.call("POST", "/agent/reports", body, robot.token())
    return robot


@pytest.mark.slow
def test_a_command_at_one_wakes_a_lease_at_the_other(two: tuple[Process, Process]) -> None:
    one, other = two
    trusted(one)
    robot = _enrolled(one)
    body, token = {"deploymentId": robot.deployment_id}, robot.token()
    with ThreadPoolExecutor() as pool:
        held = pool.submit(other.call, "POST", "/commands/leases", body, token, params={"wait": 20})
        time.sleep(1)
        begin = time.monotonic()
        sent = one.call("POST", "/commands", {**body, "command": "x", "params": inline("1")})
        (lease,) = held.result(10)["leases"]
    assert lease["commandId"] == sent["commandId"]
    assert time.monotonic() - begin < 1
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(one.call, "GET", f"/commands/{sent['commandId']}", params={"wait": 20})
        time.sleep(0.5)
        begin = time.monotonic()
        answer = {"status": "success", "response": inline("done")}
        other.call("PUT", f"/commands/{sent['commandId']}/response", answer, token)
        assert waiting.result(10)["state"] == "SUCCEEDED"
    assert time.monotonic() - begin < 1


@pytest.mark.slow
def test_agents_and_rollouts_go_on_when_an_instance_is_killed(two: tuple[Process, Process]) -> None:
    one, other = two
    vendor = trusted(one)
    robot = _enrolled(other)
    try:
        for sequence, (dead, left) in enumerate(((one, other), (other, one)), 1):
            robot.process = left
            publish(left, vendor, f"{sequence}.0", sequence)
            made = dead.call("POST", "/rollouts", {"release": f"{sequence}.0", "policy": POLICY})
            dead.kill()  # one of both times it was the one that does the effects
            _succeeded(left, made["id"])
            assert robot.release == f"{sequence}.0"
            dead.start()
        assert one.call("GET", "/audit/verify")["whole"]
    finally:
        robot.stop()


def _succeeded(process: Process, rollout_id: str) -> None:
    end = time.monotonic() + 40
    while (found := process.call("GET", f"/rollouts/{rollout_id}")).get("endedAt") is None:
        assert time.monotonic() < end, found
        time.sleep(0.2)
    assert found["state"] == "succeeded", found


def test_a_password_in_an_argument_is_refused() -> None:
    secret = "hunter2"
    for url in (f"postgresql://me:{secret}@db/alien", f"postgresql://me@db/alien?password={secret}"):
        with pytest.raises(InvalidInput, match="PGPASSWORD") as caught:
            from_words(url, {})
        assert secret not in str(caught.value)
        found = from_words(None, {VARIABLE: url})
        assert found is not None


@pytest.mark.parametrize("url", ["mysql://me@db/alien", "postgresql://db", "alien", "postgresql://me@db:port/x"])
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="database's address"):
        from_words(url, {})


def test_notifications_fit_whatever_is_woken() -> None:
    topics = {f"work:dep_{number}:{'w' * 190}" for number in range(300)}
    made = list(payloads("me", topics))
    assert all(len(each.encode()) < 8_000 for each in made)
    assert {topic for each in made for topic in each.split("\n")[1:]} == topics
