"""Clocks that are wrong by ten minutes, the control plane's or the agent's, change nothing for a command."""

import asyncio
import time
from collections.abc import AsyncIterator
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from agent.agent_commands import outputs, success
from agent.agent_world import until
from control.control_plane import Agent, Plane, WrongClock, inline, plane_in
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from alien_iac.agent import say
from alien_iac.agent.client import Control, Credentials, Wanted
from alien_iac.agent.commands import Commands
from alien_iac.agent.dispatch import Dispatcher
from alien_iac.agent.invokers import Invokers
from alien_iac.agent.mailbox import Mailbox
from alien_iac.agent.place import Place, write
from alien_iac.agent.policy import Policy
from alien_iac.agent.store import RUNNING, Store
from alien_iac.protocol import arc

URL = "http://127.0.0.1"
TEN_MINUTES = 600.0


class Dated(httpx.AsyncBaseTransport):
    """The way to a control plane, which says what time it is as every HTTP server does."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._inner = httpx.ASGITransport(app=plane.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        answer.headers["date"] = format_datetime(self._plane.clock(), usegmt=True)
        return answer


class Bench:
    """A control plane and an agent, each with a clock of its own; the worker sees what it is given."""

    def __init__(self, folder: Path, plane: Plane, agent: Agent, wrong: float) -> None:
        self.plane, self.agent = plane, agent
        self.seen: list[arc.Envelope] = []
        self.answers = True
        place = Place(folder)
        write(place.say, say.DEFAULT_TEXT.encode())
        write(folder / "token", b"workload-token")
        self.store = Store(place.state)
        self.store.keep_outputs(outputs(folder))
        pem = agent.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        credentials = Credentials(agent.deployment_id, pem)
        self.control = Control(URL, credentials, transport=Dated(plane), clock=lambda: time.time() + wrong)
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._work))
        dispatcher = Dispatcher(Mailbox(), Invokers(self.http))
        self.commands = Commands(Policy(place, self.store), self.store, self.control, dispatcher)

    def _work(self, request: httpx.Request) -> httpx.Response:
        if not self.answers:
            raise httpx.ConnectError("refused")
        self.seen.append(arc.Envelope.model_validate_json(request.content))
        return httpx.Response(200, json=success("done").dump())

    async def run(self) -> str:
        """Deal with what waits; how it ended, for the agent's log."""
        before = len(self.store.command_log())
        await self.commands.poll()
        await until(lambda: [line.outcome for line in self.store.command_log()][before:] not in ([], [RUNNING]))
        return self.store.command_log()[-1].outcome

    async def state(self, command: str) -> str:
        return str((await self.plane.ok("GET", f"/commands/{command}"))["state"])

    async def close(self) -> None:
        await self.commands.stop()
        await self.http.aclose()
        await self.control.close()
        self.store.close()


@pytest.fixture(params=[(0, 1), (0, -1), (1, 0), (-1, 0), (1, -1)], ids=str)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    servers, agents = (each * TEN_MINUTES for each in request.param)
    async with plane_in(tmp_path, clock=WrongClock(wrong=servers)) as plane:
        bench = Bench(tmp_path, plane, await plane.agent(), agents)
        yield bench
        await bench.close()


async def test_a_command_with_seconds_to_live_is_answered(bench: Bench) -> None:
    command = await bench.agent.sent(timeoutSeconds=20)
    assert await bench.run() == "success"
    assert await bench.state(command) == "SUCCEEDED"
    left = bench.seen[0].remaining_seconds
    assert left is not None
    assert 17 < left <= 21  # the Date header has whole seconds


async def test_a_command_without_a_deadline_is_answered_and_a_large_result_put(bench: Bench) -> None:
    command = await bench.agent.sent(params=inline("x" * 200_000))
    assert await bench.run() == "success"
    assert await bench.state(command) == "SUCCEEDED"


async def test_a_deadline_is_the_control_planes(bench: Bench) -> None:
    bench.answers = False
    command = await bench.agent.sent(timeoutSeconds=2)
    begun = time.monotonic()
    assert await bench.run() == "COMMAND_EXPIRED"
    assert 0.5 < time.monotonic() - begun < 4
    await asyncio.sleep(1.2)
    assert await bench.state(command) in {"EXPIRED", "FAILED"}


async def test_a_lease_holds_for_as_long_as_was_said(bench: Bench) -> None:
    await bench.agent.sent()
    (lease,) = (await bench.control.lease(Wanted(most=1, seconds=2), wait=0)).leases
    assert await bench.agent.lease() == []
    await bench.control.renew(lease.lease_id, 2)
    await asyncio.sleep(2.1)
    (again,) = await bench.agent.lease()
    assert again["attempt"] == 2
