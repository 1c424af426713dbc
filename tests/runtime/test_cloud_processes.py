"""A Function that is a process on a cloud: Cloud Run behind its door, Container Apps, their jobs; and the drain."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from runtime.driven import common
from runtime.runtime_agent import Agent, serve
from runtime.runtime_workload import ROOT, Machine, Running, envelope

from alien_iac.protocol import azure_functions, cloud_run, environment
from alien_iac.runtime.azure.polled import Blocking
from alien_iac.runtime.clock import SystemClock
from alien_iac.runtime.deliveries import Deliveries
from alien_iac.runtime.events import message_of
from alien_iac.runtime.handlers import Handler, Handlers
from alien_iac.runtime.polling import Polled
from alien_iac.runtime.runner import Runner
from alien_iac.runtime.stores.queue import QueueMessage, SendResult
from alien_iac.runtime.work import Payload

CODE = """
import os, pathlib
from alien_iac.runtime import command, current, on_schedule

@command("add")
def add(left: int, right: int) -> int:
    return left + right

@on_schedule
def tick() -> None:
    with open("ticks", "a") as file:
        file.write(f"{current().id} {current().attempt}\\n")
    if os.path.exists("fail"):
        raise RuntimeError("hunter2")
"""


@pytest.fixture
def source(machine: Machine) -> Path:
    return machine.source(CODE)


def cloud(name: str, folder: Path, **more: str) -> dict[str, str]:
    return common(name, folder) | {environment.TRIGGERS: "[]"} | more


def start(machine: Machine, source: Path, env: dict[str, str]) -> Running:
    return machine.start("-m", "alien_iac.runtime.function", str(source), env=env)


def post(running: Running, path: str, body: Any, **headers: str) -> httpx.Response:
    return httpx.post(running.url + path, json=body, headers=headers, timeout=20, trust_env=False)


def test_cloud_run_answers_whom_it_has_let_in_and_ends_when_told_to(machine: Machine, source: Path) -> None:
    running = start(machine, source, cloud("gcp", machine.folder, **{cloud_run.ASKED: "true"}))
    answered = post(running, "/_alien/commands", envelope("add", b'{"left": 1, "right": 2}').dump())
    assert answered.json()["status"] == "success"
    assert httpx.get(f"{running.url}/_alien/health", trust_env=False).json()["health"] == "healthy"
    assert running.stop() == 0


def test_a_function_that_could_let_nobody_in_does_not_start(machine: Machine, source: Path) -> None:
    running = start(machine, source, cloud("gcp", machine.folder))
    assert running.process.wait(20) == 2
    assert f"{cloud_run.AUDIENCE} is not set" in running.text


def test_a_container_app_answers_whom_azure_names_and_nobody_else(machine: Machine, source: Path) -> None:
    running = start(machine, source, cloud("azure", machine.folder, **{azure_functions.CALLED: "true"}))
    asked = envelope("add", b'{"left": 1, "right": 2}').dump()
    assert post(running, "/_alien/commands", asked).status_code == 401
    assert httpx.get(f"{running.url}/_alien/health", trust_env=False).status_code == 401
    named = {azure_functions.PRINCIPAL: "agents-id"}
    assert post(running, "/_alien/commands", asked, **named).json()["status"] == "success"


def test_where_nobody_may_call_there_is_nothing(machine: Machine, source: Path) -> None:
    running = start(machine, source, cloud("azure", machine.folder))
    named = {azure_functions.PRINCIPAL: "somebody"}
    assert post(running, "/_alien/commands", envelope("add").dump(), **named).status_code == 404


def run_job(machine: Machine, source: Path, cron: str) -> subprocess.CompletedProcess[str]:
    trigger = {"kind": "schedule", "cron": cron, "timezone": "UTC"}
    env = cloud("azure", machine.folder, **{azure_functions.JOB: json.dumps(trigger)})
    return in_a_job(machine, source, env | {environment.TRIGGERS: json.dumps([trigger])})


def in_a_job(machine: Machine, source: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    env = {**env, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "alien_iac.runtime.function", str(source)]
    return subprocess.run(command, env=env, cwd=machine.folder, check=False, capture_output=True, text=True, timeout=60)


def test_a_job_runs_its_schedule_once(machine: Machine, source: Path) -> None:
    done = run_job(machine, source, "* * * * *")
    assert done.returncode == 0, done.stdout
    [tick] = (machine.folder / "ticks").read_text().splitlines()
    assert tick.startswith("* * * * *@")


def test_a_job_that_fails_tries_again_while_it_has_time_and_counts_as_failed(machine: Machine, source: Path) -> None:
    (machine.folder / "fail").touch()
    done = run_job(machine, source, "* * * * *")
    assert done.returncode == 7, done.stdout
    ticks = [line.rpartition(" ")[2] for line in (machine.folder / "ticks").read_text().splitlines()]
    assert ticks[:2] == ["1", "2"]


def test_a_job_that_woke_too_often_runs_nothing(machine: Machine, source: Path) -> None:
    far = (datetime.now(UTC).month + 5) % 12 + 1
    done = run_job(machine, source, f"0 0 1 {far} *")
    assert done.returncode == 0, done.stdout
    assert not (machine.folder / "ticks").exists()


@pytest.fixture
def agent() -> Iterator[Agent]:
    made = Agent()
    with serve(made):
        yield made


def asking(machine: Machine, agent: Agent) -> dict[str, str]:
    """What a Function is told that asks for its commands itself."""
    token = machine.folder / "token"
    token.write_text(agent.token)
    return {
        environment.TIMEOUT_SECONDS: "30",
        environment.COMMANDS_URL: f"{agent.url}/base",
        environment.COMMANDS_TOKEN_FILE: str(token),
        environment.COMMANDS_TARGET_ID: "worker",
        environment.COMMANDS_TARGET_TYPE: "worker",
    }


def test_the_drain_answers_all_that_waits(machine: Machine, source: Path, agent: Agent) -> None:
    told = {cloud_run.ASKED: "true", **asking(machine, agent)}
    running = start(machine, source, cloud("gcp", machine.folder, **told))
    for number in range(3):
        agent.add("add", b'{"left": 1, "right": 2}', command_id=f"c{number}")
    assert post(running, cloud_run.DRAIN_PATH, {}).status_code == 204
    assert sorted(agent.results) == ["c0", "c1", "c2"]
    assert all(one[0]["status"] == "success" for one in agent.results.values())
    assert len(agent.leases) == 4  # the last one found nothing, and was not held


def test_a_job_answers_all_that_waits(machine: Machine, source: Path, agent: Agent) -> None:
    agent.add("add", b'{"left": 1, "right": 2}', command_id="c0")
    env = cloud("azure", machine.folder, **{azure_functions.JOB: azure_functions.DRAIN}, **asking(machine, agent))
    done = in_a_job(machine, source, env)
    assert done.returncode == 0, done.stdout
    assert agent.results["c0"][0]["status"] == "success"


def test_without_a_control_plane_there_is_nothing_to_drain(machine: Machine, source: Path) -> None:
    running = start(machine, source, cloud("gcp", machine.folder, **{cloud_run.ASKED: "true"}))
    assert post(running, cloud_run.DRAIN_PATH, {}).status_code == 400


class Store:
    """A queue for threads, as the clouds' are."""

    def __init__(self, *names: str) -> None:
        self.waiting = [
            QueueMessage(payload={"name": n}, payload_type="json", receipt_handle=n, attempt=1, id=n) for n in names
        ]
        self.told: list[str] = []
        self.settled = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def receive(self, max_messages: int, wait_seconds: float) -> list[QueueMessage]:  # noqa: ARG002 - nothing to wait for
        taken, self.waiting = self.waiting[:max_messages], self.waiting[max_messages:]
        return taken

    def ack(self, receipt_handle: str) -> None:
        self.told.append(f"ack {receipt_handle}")

    def nack(self, receipt_handle: str) -> None:
        self.told.append(f"nack {receipt_handle}")
        self._loop.call_soon_threadsafe(self.settled.set)

    def renew(self, receipt_handle: str, seconds: int) -> None:
        assert seconds >= 3600
        self.told.append(f"keep {receipt_handle}")

    def send(self, message: Payload) -> None: ...

    def send_batch(self, messages: object) -> list[SendResult]:  # noqa: ARG002 - nobody sends here
        return []

    def purge(self) -> None: ...


async def test_a_polled_message_is_kept_while_it_is_worked_on_and_rests_before_it_is_given_back() -> None:
    def handle(message: dict[str, str]) -> None:
        if message["name"] == "bad":
            raise RuntimeError

    clock = SystemClock()
    handlers = Handlers(all=(Handler(kind="message", name="jobs", function=handle),))
    store, ended = Store("good", "bad"), asyncio.Event()
    polled = Polled(
        Blocking(store, clock),
        lambda message: message_of("jobs", message),
        Deliveries(Runner(handlers, clock=clock), clock),
        clock,
        concurrency=5,
    )
    running = asyncio.create_task(polled.run(ended))
    begun = clock.now()
    await asyncio.wait_for(store.settled.wait(), 20)
    ended.set()
    await running
    assert store.told == ["keep good", "keep bad", "ack good", "nack bad"]
    assert (clock.now() - begun).total_seconds() >= 1
