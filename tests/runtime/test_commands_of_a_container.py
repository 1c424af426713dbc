"""A Container's commands: the `arc.v1` receiver in a real process, against an agent that behaves as the test wants."""

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from runtime.runtime_agent import Agent, serve
from runtime.runtime_workload import DEPLOYMENT, Machine, Running, eventually
from runtime.stores_local import LocalStores

from alien_iac.protocol import environment

CODE = """
import asyncio
from alien_iac.runtime import command, current, run_commands

@command("add")
def add(a: int, b: int = 1) -> int:
    return a + b

@command("large")
def large() -> str:
    return "y" * 200_000

@command("slow")
async def slow(seconds: float) -> str:
    with open("begun", "a") as f:
        f.write(current().id + " ")
    await asyncio.sleep(seconds)
    return "slept"

if __name__ == "__main__":
    run_commands()
"""


@pytest.fixture
def agent() -> Iterator[Agent]:
    made = Agent()
    with serve(made):
        yield made


def start(machine: Machine, agent: Agent, *, code: str = CODE, **env: str) -> Running:
    source = machine.source(code)
    token = machine.folder / "token"
    token.write_text(agent.token)
    known = {
        environment.DEPLOYMENT_ID: DEPLOYMENT,
        environment.RESOURCE_ID: "api",
        environment.RESOURCE_TYPE: "container",
        environment.RELEASE: "2.0.0",
        environment.COMMANDS_URL: f"{agent.url}/base",
        environment.COMMANDS_TOKEN_FILE: str(token),
        environment.COMMANDS_TARGET_ID: "api",
        environment.COMMANDS_TARGET_TYPE: "container",
        environment.TOKEN_FILE: str(token),
    }
    return machine.start(str(source / "main.py"), env={**known, **env})


def answer(agent: Agent, command_id: str) -> Any:
    body = eventually(lambda: agent.results.get(command_id, []))[-1]
    if body["status"] == "error":
        return body["code"]
    return json.loads(base64.b64decode(body["response"]["inlineBase64"]))


def test_commands_are_leased_and_answered_at_once(machine: Machine, agent: Agent) -> None:
    start(machine, agent)
    eventually(lambda: agent.leases)
    assert agent.leases[0] == {
        "deploymentId": DEPLOYMENT,
        "target": {"resourceId": "api", "resourceType": "container"},
        "maxLeases": 1,
        "leaseSeconds": 60,
    }
    for number in range(5):
        started = time.monotonic()
        agent.add("add", b'{"a": 1}', command_id=f"add{number}")
        assert answer(agent, f"add{number}") == 2
        assert time.monotonic() - started < 4  # the interval of polls is five seconds
    agent.add("add", b'{"a": "x"}', command_id="bad")
    assert answer(agent, "bad") == "INVALID_PARAMETERS"
    agent.add("unheard-of", command_id="unknown")
    assert answer(agent, "unknown") == "UNKNOWN_COMMAND"
    agent.add("slow", b'{"seconds": 9}', command_id="late", deadline=datetime.now(UTC) + timedelta(seconds=0.3))
    assert answer(agent, "late") == "HANDLER_TIMEOUT"


def test_the_token_may_be_that_of_a_linked_secret(machine: Machine, agent: Agent) -> None:
    """As on a cloud, where no variable holds it: without a value it waits, and one that was replaced counts."""
    stores = LocalStores(machine)
    linked = {environment.COMMANDS_TOKEN_FILE: "", environment.COMMANDS_TOKEN_SECRET: "api-commands"}
    running = start(machine, agent, ALIEN_COMMANDS_POLL_INTERVAL_MS="100", **linked, **stores.secret("api-commands"))
    eventually(lambda: "has no value yet" in running.text)
    for token in ("first", "second"):
        stores.set_secret("api-commands", token.encode())
        agent.token = token
        agent.add("add", b'{"a": 1}', command_id=token)
        assert answer(agent, token) == 2


def test_a_handler_may_take_longer_than_its_lease(machine: Machine, agent: Agent) -> None:
    agent.lease_seconds = 8
    agent.add("slow", b'{"seconds": 9}', command_id="slow")
    start(machine, agent)
    assert answer(agent, "slow") == "slept"
    assert set(agent.renewed) == {"lease_slow"}
    agent.add("slow", b'{"seconds": 60}', command_id="late", deadline=datetime.now(UTC) + timedelta(seconds=4))
    assert answer(agent, "late") == "HANDLER_TIMEOUT"  # of the command's own deadline no renewal makes more


def test_the_budget_ends_before_a_lease_that_nobody_renews(machine: Machine, agent: Agent) -> None:
    agent.lease_seconds = 5.5
    agent.renews = False
    agent.add("slow", b'{"seconds": 9}', command_id="slow")
    started = time.monotonic()
    start(machine, agent)
    assert answer(agent, "slow") == "HANDLER_TIMEOUT"
    assert time.monotonic() - started < 5


def test_results_are_submitted_until_they_are_taken(machine: Machine, agent: Agent) -> None:
    agent.submit_statuses = [500, 503, 204]
    agent.add("add", b'{"a": 1}', command_id="a")
    start(machine, agent)
    eventually(lambda: len(agent.results.get("a", [])) == 3)
    agent.submit_statuses = [409]
    agent.add("add", b'{"a": 1}', command_id="b")
    eventually(lambda: agent.results.get("b"))
    agent.add("add", b'{"a": 1}', command_id="c")
    assert answer(agent, "c") == 2
    assert len(agent.results["b"]) == 1


def test_a_large_result_is_uploaded_first(machine: Machine, agent: Agent) -> None:
    agent.add("large", command_id="large")
    start(machine, agent)
    (result,) = eventually(lambda: agent.results.get("large", []))
    assert result["response"] == {"mode": "storage", "size": 200_002, "storagePutUsed": True}
    assert agent.uploads == ["y" * 200_000]


def test_the_end_drains_and_gives_back(machine: Machine, agent: Agent) -> None:
    running = start(machine, agent, ALIEN_COMMANDS_MAX_LEASES="2", ALIEN_COMMANDS_DRAIN_TIMEOUT_MS="1500")
    agent.add("slow", b'{"seconds": 1}', command_id="short")
    agent.add("slow", b'{"seconds": 60}', command_id="long")
    begun = machine.folder / "begun"
    eventually(lambda: begun.exists() and len(begun.read_text().split()) == 2)
    assert running.stop() == 0
    assert answer(agent, "short") == "slept"
    assert agent.released == ["lease_long"]
    assert "long" not in agent.results


def test_the_same_command_again_goes_back(machine: Machine, agent: Agent) -> None:
    start(machine, agent, ALIEN_COMMANDS_MAX_LEASES="3")
    for _ in range(2):
        agent.add("slow", b'{"seconds": 1}', command_id="twice")
    assert answer(agent, "twice") == "slept"
    assert agent.released == ["lease_twice"]
    assert (machine.folder / "begun").read_text().split() == ["twice"]


def test_an_agent_that_comes_and_goes(machine: Machine) -> None:
    agent = Agent()
    with serve(agent) as stop:
        running = start(
            machine, agent, ALIEN_COMMANDS_POLL_INTERVAL_MS="100", ALIEN_COMMANDS_POLL_MAX_INTERVAL_MS="300"
        )
        eventually(lambda: agent.leases)
        stop()
        port = int(agent.url.rsplit(":", 1)[1])
    eventually(lambda: "no answer" in running.text)
    again = Agent()
    again.token = "another-token"
    with serve(again, port):
        eventually(lambda: again.refused)
        # The new token counts as soon as it is in the file.
        (machine.folder / "token").write_text(again.token)
        again.add("add", b'{"a": 1}', command_id="a")
        assert answer(again, "a") == 2
        # One that does not hold requests is not hammered.
        again.holds = False
        count = len(again.leases)
        time.sleep(1)
        assert len(again.leases) - count < 10
    assert running.process.poll() is None
    assert "token" not in running.text.replace("token_file", "")


def test_half_an_environment_is_said(machine: Machine, agent: Agent) -> None:
    running = start(machine, agent, **{environment.COMMANDS_TARGET_TYPE: "spaceship", environment.DEPLOYMENT_ID: ""})
    assert running.process.wait(10) == 2
    assert environment.DEPLOYMENT_ID in running.text
    assert environment.COMMANDS_TARGET_TYPE in running.text
    assert "Traceback" not in running.text


def test_a_server_that_takes_commands_too(machine: Machine, agent: Agent) -> None:
    code = """
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from alien_iac.runtime import command, serve

    async def page(request):
        return PlainTextResponse("a page")

    @command("add")
    def add(a: int) -> int:
        return a + 1

    if __name__ == "__main__":
        serve(Starlette(routes=[Route("/page", page)]))
    """
    running = start(machine, agent, code=code)
    assert httpx.get(running.url + "/page", trust_env=False).text == "a page"
    agent.add("add", b'{"a": 1}', command_id="a")
    assert answer(agent, "a") == 2
    assert running.stop() == 0
    # And without an agent it is a server like any other.
    alone = start(machine, agent, code=code, **{environment.COMMANDS_URL: ""})
    assert httpx.get(alone.url + "/page", trust_env=False).text == "a page"
    assert alone.stop() == 0


def test_an_app_that_does_not_start_ends_the_process(machine: Machine, agent: Agent) -> None:
    code = """
    from contextlib import asynccontextmanager
    from starlette.applications import Starlette
    from alien_iac.runtime import serve

    @asynccontextmanager
    async def lifespan(app):
        raise RuntimeError("no database")
        yield

    serve(Starlette(lifespan=lifespan))
    """
    running = start(machine, agent, code=code)
    assert running.process.wait(15) == 2
    assert "no database" in running.text
    assert "its lifespan failed" in running.text


def test_heartbeats_and_no_commands(machine: Machine, agent: Agent) -> None:
    running = start(machine, agent, **{environment.COMMANDS_URL: "", environment.AGENT_URL: agent.url})
    (beat, *_) = eventually(lambda: agent.beats)
    assert beat == {
        "deploymentId": DEPLOYMENT,
        "resourceId": "api",
        "release": "2.0.0",
        "health": "healthy",
        "message": "",
    }
    assert agent.leases == []
    assert running.stop() == 0
