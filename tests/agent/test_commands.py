"""Commands: leased, checked, dispatched, answered, logged."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from agent.agent_commands import envelope, inline, lease, outputs, success
from agent.agent_control import DEPLOYMENT, URL, ControlPlane
from agent.agent_world import until

from alien_iac.agent import say
from alien_iac.agent.client import Control, Credentials
from alien_iac.agent.commands import CAPACITY, Commands
from alien_iac.agent.dispatch import Dispatcher
from alien_iac.agent.invokers import Invokers
from alien_iac.agent.mailbox import Mailbox
from alien_iac.agent.place import Place, write
from alien_iac.agent.policy import Policy
from alien_iac.agent.store import RUNNING, CommandLine, Store
from alien_iac.protocol import arc


class Worker:
    """A Function behind HTTP. `answers` are given one after the other; an exception is raised."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response | Exception] = []
        self.asked: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if self.answers else httpx.Response(200, json=success({"rows": 5}).dump())
        if isinstance(answer, Exception):
            raise answer
        return answer


class Bench:
    """An agent's command loop between a control plane and a worker."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(folder)
        write(self.place.say, say.DEFAULT_TEXT.encode())
        write(folder / "token", b"workload-token\n")
        self.plane, self.worker, self.mailbox = ControlPlane(), Worker(), Mailbox()
        self.store = Store(self.place.state)
        self.store.keep_outputs(outputs(folder))
        credentials = Credentials(DEPLOYMENT, self.plane.private_key)
        self.control = Control(URL, credentials, transport=self.plane.transport())
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self.worker.answer))
        self.dispatcher = Dispatcher(self.mailbox, Invokers(self.http))
        self.commands = Commands(Policy(self.place, self.store), self.store, self.control, self.dispatcher)

    async def run(self, *envelopes: arc.Envelope, seconds: float = 60) -> None:
        """Deal with commands until each is logged as ended."""
        self.plane.leases = [lease(one, seconds) for one in envelopes]
        await self.commands.poll()
        await until(lambda: len(self.outcomes()) == len(envelopes) and RUNNING not in self.outcomes())

    def outcomes(self) -> list[str]:
        return [line.outcome for line in self.store.command_log()]

    def response(self, number: int = 1) -> dict[str, object]:
        """What the control plane got for a command."""
        found: dict[str, object] = self.plane.received[f"/commands/cmd_{number}/response"][-1]
        return found

    async def close(self) -> None:
        await self.commands.stop()
        await self.http.aclose()
        await self.control.close()
        self.store.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.close()


async def test_a_function_is_called_with_its_own_token_and_its_answer_is_submitted(bench: Bench) -> None:
    await bench.run(envelope())
    assert bench.worker.asked[0].headers["authorization"] == "Bearer workload-token"
    assert arc.Envelope.model_validate_json(bench.worker.asked[0].content).command_id == "cmd_1"
    assert bench.response() == success({"rows": 5}).dump()
    assert bench.outcomes() == ["success"]


async def test_the_log_has_neither_parameters_nor_results(bench: Bench) -> None:
    bench.worker.answers = [httpx.Response(200, json=success("planted-result").dump())]
    await bench.run(envelope(params=inline("planted-parameter")))
    content = bench.place.state.read_bytes() + bench.place.state.with_name("state.sqlite-wal").read_bytes()
    for planted in ("planted-result", "planted-parameter"):
        assert planted.encode() not in content
        assert base64.b64encode(f'"{planted}"'.encode()) not in content


async def test_what_the_customer_denies_reaches_no_workload(bench: Bench) -> None:
    bench.place.say.write_text("commands: {deny: [read]}")
    await bench.run(envelope())
    assert bench.worker.asked == []
    assert bench.response()["code"] == "FORBIDDEN"
    assert bench.outcomes() == ["FORBIDDEN"]


async def test_a_customers_file_that_is_broken_allows_nothing(bench: Bench) -> None:
    bench.place.say.write_text("commands: [")
    await bench.run(envelope())
    assert bench.worker.asked == []
    assert bench.response()["status"] == "error"


async def test_a_workload_that_is_restarting_is_waited_for(bench: Bench) -> None:
    bench.worker.answers = [httpx.ConnectError("refused"), httpx.Response(503), httpx.Response(401)]
    await bench.run(envelope())
    assert len(bench.worker.asked) == 4
    assert bench.outcomes() == ["success"]


async def test_a_target_that_takes_no_commands_is_named_with_those_that_do(bench: Bench) -> None:
    await bench.run(envelope(target="other"))
    assert "worker, api" in str(bench.response()["message"])


@pytest.mark.parametrize("answer", [httpx.Response(200, text="hello"), httpx.Response(404)])
async def test_an_answer_that_is_none_is_a_failed_delivery(bench: Bench, answer: httpx.Response) -> None:
    bench.worker.answers = [answer]
    await bench.run(envelope())
    assert bench.response()["code"] == "DELIVERY_FAILED"


async def test_a_command_past_its_deadline_is_answered_as_such(bench: Bench) -> None:
    bench.worker.answers = [httpx.ConnectError("refused")] * 1000
    await bench.run(envelope(deadline=datetime.now(UTC) + timedelta(seconds=0.2)))
    assert bench.response()["code"] == "COMMAND_EXPIRED"


async def test_a_command_whose_lease_runs_out_is_left_to_come_again(bench: Bench) -> None:
    bench.worker.answers = [httpx.ConnectError("refused")] * 1000
    await bench.run(envelope(), seconds=5.2)
    assert bench.outcomes() == ["timeout"]
    assert "/commands/cmd_1/response" not in bench.plane.received


async def test_a_result_is_kept_until_the_control_plane_takes_it(bench: Bench) -> None:
    running = asyncio.create_task(bench.run(envelope()))
    bench.plane.refuse["/commands/cmd_1/response"] = 503
    await until(lambda: len(bench.plane.received.get("/commands/cmd_1/response", [])) >= 2)
    bench.plane.refuse.clear()
    await running
    assert bench.outcomes() == ["success"]


async def test_a_result_that_is_no_longer_wanted_is_let_go(bench: Bench) -> None:
    bench.plane.refuse["/commands/cmd_1/response"] = 410
    await bench.run(envelope())
    assert bench.outcomes() == ["not taken: CONFLICT"]


async def test_a_large_result_goes_by_its_own_request(bench: Bench) -> None:
    handling = envelope().response_handling.model_copy(update={"max_inline_bytes": 10})
    bench.worker.answers = [httpx.Response(200, json=success("x" * 100).dump())]
    await bench.run(envelope(response_handling=handling))
    assert bench.response() == {
        "status": "success",
        "response": {"mode": "storage", "size": 102, "storagePutUsed": True},
    }
    assert "/blobs/cmd_1" in bench.plane.received


async def test_a_restarted_agent_gives_back_what_it_held(bench: Bench) -> None:
    line = CommandLine(
        at=datetime.now(UTC), command_id="cmd_9", command="read", target="worker", attempt=1, outcome=RUNNING
    )
    bench.store.begin_command(line, "lease_9")
    await bench.commands.give_back_left()
    assert "/commands/leases/lease_9/release" in bench.plane.received
    assert bench.outcomes() == ["given back"]


async def test_a_container_finds_its_command_in_the_mailbox(bench: Bench) -> None:
    running = asyncio.create_task(bench.run(envelope(target="api")))
    found = await bench.mailbox.lease("api", 1, 60, wait_s=5)
    url = httpx.URL(found[0].envelope.response_handling.submit_response_url)
    bench.mailbox.answer("cmd_1", url.params["response_token"], success({"from": "api"}))
    await running
    assert bench.response() == success({"from": "api"}).dump()


@pytest.mark.parametrize("seconds", [0, 60])
async def test_a_container_that_does_not_answer_has_had_its_attempt(bench: Bench, seconds: int) -> None:
    running = asyncio.create_task(bench.run(envelope(target="api")))
    (lease,) = await bench.mailbox.lease("api", 1, seconds, wait_s=5)
    assert await bench.mailbox.lease("api", 1, 60, wait_s=0) == ()
    if seconds:
        bench.mailbox.release(lease.lease_id)  # otherwise it has run out
    await running
    assert "/commands/leases/lease_cmd_1/release" in bench.plane.received
    assert "/commands/cmd_1/response" not in bench.plane.received


@pytest.mark.parametrize("end", [httpx.ReadError("reset"), httpx.RemoteProtocolError("cut"), httpx.Response(500)])
async def test_a_worker_that_dies_over_a_command_has_had_its_attempt(
    bench: Bench, end: httpx.Response | Exception
) -> None:
    bench.worker.answers = [end]
    await bench.run(envelope())
    assert len(bench.worker.asked) == 1
    assert "/commands/leases/lease_cmd_1/release" in bench.plane.received
    assert bench.outcomes()[0].startswith("given back: worker")


async def test_a_lease_is_renewed_for_as_long_as_its_command_runs(bench: Bench) -> None:
    ends = datetime.now(UTC) + timedelta(minutes=10)
    bench.plane.answers["/commands/leases/lease_cmd_1/renew"] = arc.Renewed(
        lease_id="lease_cmd_1", lease_expires_at=ends
    ).dump()
    bench.commands = Commands(Policy(bench.place, bench.store), bench.store, bench.control, bench.dispatcher, lease_s=1)
    running = asyncio.create_task(bench.run(envelope(target="api"), seconds=5.7))
    (lease,) = await bench.mailbox.lease("api", 1, 60, wait_s=5)
    await until(lambda: len(bench.plane.received.get("/commands/leases/lease_cmd_1/renew", [])) > 1)
    url = httpx.URL(lease.envelope.response_handling.submit_response_url)
    bench.mailbox.answer("cmd_1", url.params["response_token"], success(1))
    await running
    assert bench.outcomes() == ["success"]


async def test_a_full_workload_is_named_and_the_request_is_short(bench: Bench) -> None:
    running = [envelope(target="api", number=number) for number in range(CAPACITY)]
    bench.plane.leases = [lease(one) for one in running]
    await bench.commands.poll()
    await bench.commands.poll()
    asked = bench.plane.received["/commands/leases"][-1]
    assert asked["full"] == ["api"]
    assert len(asked["holding"]) == CAPACITY


async def test_what_is_left_is_told_in_seconds_and_so_by_no_clock(bench: Bench) -> None:
    bench.plane.ahead = timedelta(minutes=10)
    deadline = bench.plane.now() + timedelta(seconds=30)
    await bench.run(envelope(deadline=deadline), seconds=60 + 600)
    told = arc.Envelope.model_validate_json(bench.worker.asked[0].content)
    assert told.remaining_seconds is not None
    assert 27 < told.remaining_seconds <= 31
    assert bench.outcomes() == ["success"]
