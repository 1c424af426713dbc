"""Held requests: woken by a durable write at once, never by nothing, and given back where nobody is there."""

import asyncio
import time
from datetime import timedelta

import pytest
from control.control_plane import API, WORKER, Agent, Plane
from starlette.types import Message

from alien_iac.control import housekeeping
from alien_iac.control.waiting import Waiting


async def test_a_held_lease_is_answered_when_a_command_comes(agent: Agent) -> None:
    held = asyncio.create_task(agent.lease(wait=20))
    await asyncio.sleep(0.1)
    begin = time.perf_counter()
    command = await agent.sent()
    (lease,) = await asyncio.wait_for(held, 2)
    assert lease["commandId"] == command
    assert time.perf_counter() - begin < 1


async def test_a_held_status_is_answered_when_the_command_ends(plane: Plane, agent: Agent) -> None:
    command = await agent.sent()
    held = asyncio.create_task(plane.ok("GET", f"/commands/{command}", params={"wait": 20}))
    await agent.answer((await agent.lease())[0])
    assert (await asyncio.wait_for(held, 2))["state"] == "SUCCEEDED"


async def test_a_hold_ends_with_the_time(agent: Agent) -> None:
    begin = time.perf_counter()
    assert await agent.lease(wait=0.2) == []
    assert 0.15 < time.perf_counter() - begin < 2


async def test_each_receiver_waits_for_its_own_target(plane: Plane) -> None:
    agent = await plane.agent("two", (WORKER, API))
    api = asyncio.create_task(agent.lease(wait=20, target=API))
    worker = asyncio.create_task(agent.lease(wait=0.3, target=WORKER))
    await asyncio.sleep(0.05)
    await agent.sent(targetResourceId="api")
    assert len(await asyncio.wait_for(api, 2)) == 1
    assert await worker == []


async def test_of_many_receivers_one_gets_it(agent: Agent) -> None:
    held = [asyncio.create_task(agent.lease(wait=1)) for _ in range(10)]
    await asyncio.sleep(0.1)
    await agent.sent()
    assert sum(len(leases) for leases in await asyncio.gather(*held)) == 1


async def test_a_lease_that_runs_out_wakes_the_next_receiver(plane: Plane, agent: Agent) -> None:
    await agent.sent()
    await agent.lease(leaseSeconds=1)
    held = asyncio.create_task(agent.lease(wait=20))
    await asyncio.sleep(0.1)
    plane.clock.advance(1.1)
    (lease,) = await asyncio.wait_for(held, 5)
    assert lease["attempt"] == 2


async def test_a_lease_for_a_closed_connection_is_given_back_uncounted(plane: Plane, agent: Agent) -> None:
    body = f'{{"deploymentId": "{agent.deployment_id}"}}'.encode()
    sent: list[Message] = []
    messages = iter([{"type": "http.request", "body": body}])

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/commands/leases",
        "query_string": b"wait=20",
        "headers": [(b"authorization", f"Bearer {agent.token}".encode()), (b"content-type", b"application/json")],
        "scheme": "http",
        "server": ("control.test", 80),
        "http_version": "1.1",
        "root_path": "",
    }
    gone = asyncio.create_task(plane.app(scope, receive, send))
    await asyncio.sleep(0.1)
    await agent.sent()
    for _ in range(100):
        leases = await agent.lease()
        if leases:
            break
        await asyncio.sleep(0.02)
    assert [lease["attempt"] for lease in leases] == [1]
    gone.cancel()


async def test_desired_is_held_until_its_revision_grows(plane: Plane, agent: Agent) -> None:
    assert (await agent.desired())["revision"] == 0
    assert (await agent.desired(wait=0.1, after=0))["revision"] == 0
    held = asyncio.create_task(agent.desired(wait=20, after=0))
    await asyncio.sleep(0.05)
    path = await plane.vendor_release("1.0", 1)
    await plane.ok("PUT", f"/deployments/{agent.deployment_id}/pin", {"release": "1.0"})
    found = await asyncio.wait_for(held, 2)
    assert (found["revision"], found["manifest"], found["action"]) == (1, path, "apply")


async def test_the_sweep_tells_a_waiting_sender_that_time_is_over(plane: Plane, agent: Agent) -> None:
    command = await agent.sent(deadline=(plane.clock() + timedelta(seconds=30)).isoformat())
    held = asyncio.create_task(plane.ok("GET", f"/commands/{command}", params={"wait": 20}))
    await asyncio.sleep(0.05)
    plane.clock.advance(31)
    await housekeeping.sweep(plane.control)
    assert (await asyncio.wait_for(held, 2))["state"] == "EXPIRED"


async def test_an_ending_server_answers_all_held_requests(plane: Plane, agent: Agent) -> None:
    held = [asyncio.create_task(agent.lease(wait=20)) for _ in range(5)]
    await asyncio.sleep(0.1)
    plane.control.waiting.close()
    assert await asyncio.wait_for(asyncio.gather(*held), 2) == [[]] * 5
    answer = await plane.client().get("http://control.test/healthz")
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")


@pytest.mark.parametrize("rounds", [200])
async def test_no_wake_is_lost_between_the_look_and_the_sleep(rounds: int) -> None:
    waiting = Waiting()
    value = 0

    async def look() -> tuple[int, bool, None]:
        seen = value
        await asyncio.sleep(0)
        return seen, seen > before, None

    for _ in range(rounds):
        before = value
        held = asyncio.create_task(waiting.until(("t",), look, 5, lambda: None))  # type: ignore[arg-type,return-value] # no instant is used
        await asyncio.sleep(0)
        value += 1
        await asyncio.to_thread(waiting.wake, ["t"])
        assert await asyncio.wait_for(held, 1) == value


async def test_a_caller_that_goes_leaves_nothing_behind() -> None:
    waiting = Waiting()
    async with waiting.listening("a", "b"):
        assert set(waiting.topics) == {"a", "b"}
    assert not waiting.topics
