"""A Function's queue triggers: at least once, whatever is killed, and nothing twice without need."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from runtime.runtime_workload import Machine, Running, eventually, queue_binding, queue_env, rows

from alien_iac.runtime.stores.local_queue import BrokerQueue
from alien_iac.runtime.work import Payload

TRIGGER = [{"kind": "queue", "resource": "jobs"}]

CODE = """
import asyncio, os, pathlib, time
import pydantic
from alien_iac.runtime import current, on_message

class Job(pydantic.BaseModel):
    name: str
    seconds: float = 0

@on_message("jobs")
async def handle(job: Job) -> None:
    with open("begun", "a") as f:
        f.write(f"{job.name} {current().attempt} {current().id}\\n")
    await asyncio.sleep(job.seconds)
    if job.name.startswith("bad"):
        raise RuntimeError("hunter2")
    with open("done", "a") as f:
        f.write(f"{job.name}\\n")
"""


def send(broker: Running, *jobs: Mapping[str, object] | str) -> None:
    client = BrokerQueue(queue_binding(broker, "jobs"), "jobs")
    for job in jobs:
        is_json = not isinstance(job, str)
        client.send(Payload(json.dumps(job) if is_json else str(job), is_json))
    client.close()


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def file(machine: Machine) -> Path:
    return machine.make_queue("jobs", visibility=4)


@pytest.fixture
def broker(machine: Machine, file: Path) -> Running:
    assert file.exists()
    return machine.broker()


def test_messages_are_handled_and_acknowledged(machine: Machine, broker: Running, file: Path) -> None:
    send(broker, *({"name": f"early{n}"} for n in range(5)))
    machine.function(CODE, queue_env(broker, "jobs"), TRIGGER)
    done = machine.folder / "done"
    eventually(lambda: len(lines(done)) == 5)
    started = time.monotonic()
    send(broker, {"name": "late"})
    eventually(lambda: "late" in lines(done))
    assert time.monotonic() - started < 8
    eventually(lambda: not rows(file, "SELECT * FROM messages"))
    assert len(lines(done)) == 6


def test_several_at_once(machine: Machine, broker: Running) -> None:
    send(broker, *({"name": f"{n}", "seconds": 1} for n in range(10)))
    function = machine.function(CODE, queue_env(broker, "jobs"), TRIGGER)
    assert function.url
    started = time.monotonic()
    eventually(lambda: len(lines(machine.folder / "done")) == 10)
    assert time.monotonic() - started < 8


def test_kill_in_the_middle_brings_the_message_back(machine: Machine, broker: Running, file: Path) -> None:
    send(broker, {"name": "slow", "seconds": 1})
    begun, done = machine.folder / "begun", machine.folder / "done"
    function = machine.function(CODE, queue_env(broker, "jobs"), TRIGGER)
    eventually(lambda: lines(begun))
    function.kill()
    killed = time.monotonic()
    machine.function(CODE, queue_env(broker, "jobs"), TRIGGER)
    eventually(lambda: lines(done) == ["slow"])
    assert time.monotonic() - killed > 1
    first, second = (line.split() for line in lines(begun))
    assert (first[1], second[1]) == ("1", "2")
    assert first[2] == second[2]
    eventually(lambda: not rows(file, "SELECT * FROM messages"))


def test_poison_becomes_a_dead_letter_and_the_rest_goes_on(machine: Machine, broker: Running) -> None:
    file = machine.make_queue("jobs", receives=2, visibility=30)
    function = machine.function(CODE, queue_env(broker, "jobs"), TRIGGER)
    send(broker, {"name": "bad"}, "not JSON at all", {"name": 7}, {"name": "good"})
    eventually(lambda: lines(machine.folder / "done") == ["good"])
    eventually(lambda: len(rows(file, "SELECT * FROM dead_letters")) == 3)
    assert {attempts for (attempts,) in rows(file, "SELECT attempts FROM dead_letters")} == {2}
    assert rows(file, "SELECT * FROM messages") == []
    assert [line.split()[:2] for line in lines(machine.folder / "begun") if "bad" in line] == [
        ["bad", "1"],
        ["bad", "2"],
    ]
    assert "INVALID_PAYLOAD" in function.text


def test_a_broker_that_is_killed_and_comes_back(machine: Machine, broker: Running, file: Path) -> None:
    machine.make_queue("jobs", visibility=60)
    port = int(broker.url.rsplit(":", 1)[1])
    machine.function(CODE, queue_env(broker, "jobs"), TRIGGER)
    begun, done = machine.folder / "begun", machine.folder / "done"
    send(broker, {"name": "across", "seconds": 1})
    eventually(lambda: lines(begun))
    broker.kill()
    time.sleep(1.5)
    again = machine.broker(port)
    send(again, {"name": "after"})
    eventually(lambda: {"across", "after"} <= set(lines(done)))
    eventually(lambda: not rows(file, "SELECT * FROM messages"))
    # Its acknowledgement waited for the broker, so that the work was not done again.
    assert lines(done).count("across") == 1


@pytest.mark.slow
def test_sigterm_gives_back_what_does_not_end(machine: Machine, broker: Running) -> None:
    file = machine.make_queue("jobs", visibility=600)
    send(broker, {"name": "long", "seconds": 100}, {"name": "short", "seconds": 1})
    function = machine.function(CODE, queue_env(broker, "jobs"), TRIGGER)
    eventually(lambda: len(lines(machine.folder / "begun")) == 2)
    assert function.stop() == 0
    assert lines(machine.folder / "done") == ["short"]
    ((body, attempts, visible_at),) = rows(file, "SELECT payload, attempts, visible_at FROM messages")
    assert json.loads(body)["name"] == "long"
    assert (attempts, visible_at <= time.time() * 1000) == (1, True)


def test_a_trigger_without_a_handler_is_said_at_the_start(machine: Machine) -> None:
    triggers = [
        {"kind": "queue", "resource": "other"},
        {"kind": "created", "resource": "files"},
        {"kind": "schedule", "cron": "0 3 * * 1"},
    ]
    function = machine.function(CODE, triggers=triggers)
    assert function.process.wait(10) == 2
    for decorator in ('@on_message("other")', '@on_created("files")', '@on_schedule("0 3 * * 1")'):
        assert decorator in function.text
    assert "Traceback" not in function.text
