"""The client for a vendor's own programs, blocking and async: what it gives back, raises and survives."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from client.client_side import Client, Wire, answering, failing
from control.control_plane import API, WORKER, Agent, Plane
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel

from alien_iac import errors
from alien_iac.client import CommandCancelled, CommandExhausted, CommandExpired, Signer
from alien_iac.control import housekeeping
from alien_iac.protocol import arc, signing


class Query(BaseModel):
    limit: int


async def test_a_result_comes_back(client: Client, agent: Agent) -> None:
    async with answering(agent, lambda given: {"got": given}):
        assert await client.call("invoke", agent.deployment_id, "read", {"path": "ä"}) == {"got": {"path": "ä"}}
        assert await client.call("invoke", agent.deployment_id, "read", Query(limit=5)) == {"got": {"limit": 5}}
        assert await client.call("invoke", agent.deployment_id, "read") == {"got": {}}


async def test_large_parameters_and_results_go_by_their_own_urls_without_the_token(
    client: Client, agent: Agent, wire: Wire
) -> None:
    big = "x" * 400_000
    async with answering(agent, lambda given: [given]):
        assert await client.call("invoke", agent.deployment_id, "read", big) == [big]
    signed = [request for request in wire.requests if "/blobs/" in request.url.path]
    assert [request.method for request in signed] == ["PUT", "GET"]
    assert all("authorization" not in request.headers for request in signed)


async def test_all_options_arrive(client: Client, plane: Plane) -> None:
    agent = await plane.agent("acme", (WORKER, API))
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    options = {"target": "api", "timeout": 30, "attempts": 2, "priority": 7, "traceparent": trace}
    await client.call("send", agent.deployment_id, "read", 1, **options)
    (lease,) = await agent.lease()
    envelope = lease["envelope"]
    assert envelope["target"] == API
    assert envelope["remainingSeconds"] == 30
    assert envelope["traceContext"]["traceparent"] == trace
    (one,) = await client.ls(agent.deployment_id)
    assert one.priority == 7


async def test_what_a_handler_says_is_raised_with_its_code(client: Client, agent: Agent) -> None:
    command = await client.call("send", agent.deployment_id, "read")
    (lease,) = await agent.lease()
    await failing(agent, lease, "NO_SUCH_TABLE")
    with pytest.raises(errors.HandlerFailed, match="worker: no") as caught:
        await client.call("result", command)
    assert caught.value.context == {
        "commandCode": "NO_SUCH_TABLE",
        "commandId": command,
        "state": "FAILED",
        "attempt": 1,
    }
    assert caught.value.hint == "ask"


async def test_each_end_without_a_result_has_its_own_error(client: Client, agent: Agent, plane: Plane) -> None:
    expired = await client.call("send", agent.deployment_id, "read", timeout=5)
    cancelled = await client.call("send", agent.deployment_id, "read")
    exhausted = await client.call("send", agent.deployment_id, "read", attempts=1)
    plane.clock.advance(6)
    assert (await client.call("cancel", cancelled)).state == "FAILED"
    await agent.lease(leaseSeconds=1)
    plane.clock.advance(2)
    await housekeeping.sweep(plane.control)
    for command, kind in ((expired, CommandExpired), (cancelled, CommandCancelled), (exhausted, CommandExhausted)):
        with pytest.raises(kind) as caught:
            await client.call("result", command)
        assert caught.value.context["commandCode"] == kind.code
        assert caught.value.context["state"] in {"EXPIRED", "FAILED"}
        assert not caught.value.retryable


async def test_who_waits_no_longer_is_told_how_the_command_stands(client: Client, agent: Agent) -> None:
    command = await client.call("send", agent.deployment_id, "read")
    with pytest.raises(errors.Unavailable, match=r"PENDING after 0\.1 s") as caught:
        await client.call("result", command, 0.1)
    assert caught.value.context == {"commandId": command, "state": "PENDING", "attempt": 1}


async def test_who_watches_sees_it_on_its_way(client: Client, agent: Agent) -> None:
    seen: list[arc.State] = []
    task = asyncio.create_task(
        client.call("invoke", agent.deployment_id, "read", watch=lambda found: seen.append(found.state))
    )
    (lease,) = await agent.lease(wait=10)
    await asyncio.sleep(1.5)
    await agent.answer(lease, 1)
    assert await task == 1
    assert seen[-1] == "SUCCEEDED"
    assert "DISPATCHED" in seen


async def test_an_answer_that_is_lost_makes_no_second_command(client: Client, agent: Agent, wire: Wire) -> None:
    wire.lose = 2
    command = await client.call("send", agent.deployment_id, "read", "x" * 200_000)
    assert [one.command_id for one in await client.ls(agent.deployment_id)] == [command]
    assert len(await agent.lease(maxLeases=9)) == 1


async def test_the_same_key_is_the_same_command_and_with_other_parameters_a_conflict(
    client: Client, agent: Agent
) -> None:
    first = await client.call("send", agent.deployment_id, "read", 1, idempotency_key="k")
    assert await client.call("send", agent.deployment_id, "read", 1, idempotency_key="k") == first
    with pytest.raises(errors.Conflict, match=first):
        await client.call("send", agent.deployment_id, "read", 2, idempotency_key="k")


async def test_an_outage_while_waiting_is_waited_out(client: Client, agent: Agent, wire: Wire) -> None:
    command = await client.call("send", agent.deployment_id, "read")
    wire.down = True
    waiting = asyncio.create_task(client.call("result", command, 30))
    await asyncio.sleep(4)
    wire.down = False
    async with answering(agent, lambda _: "back"):
        assert await waiting == "back"


async def test_a_control_plane_that_does_not_answer_is_unavailable(client: Client, agent: Agent, wire: Wire) -> None:
    wire.down = True
    with pytest.raises(errors.Unavailable, match="does not answer"):
        await client.call("send", agent.deployment_id, "read")


async def test_refusals_are_errors_of_the_tree(client: Client, plane: Plane, agent: Agent, wire: Wire) -> None:
    with pytest.raises(errors.NotFound):
        await client.call("send", "dep_unknown", "read")
    with pytest.raises(errors.NotFound, match="cmd_unknown"):
        await client.call("status", "cmd_unknown")
    for wrong in ({"priority": 1000}, {"attempts": 0}, {"timeout": -1}):
        with pytest.raises(errors.InvalidInput):
            await client.call("send", agent.deployment_id, "read", **wrong)
    with pytest.raises(errors.InvalidInput, match="JSON"):
        await client.call("send", agent.deployment_id, "read", object())
    stranger = Client("async", wire, "alien_wrong")
    with pytest.raises(errors.Unauthorized):
        await stranger.call("send", agent.deployment_id, "read")
    reader = Client("async", wire, await plane.token("read"))
    with pytest.raises(errors.Forbidden):
        await reader.call("send", agent.deployment_id, "read")
    await stranger.close()
    await reader.close()


async def test_a_list_is_fetched_to_its_end_and_by_state(client: Client, agent: Agent, plane: Plane) -> None:
    sent: list[Any] = []
    for number in range(103):
        sent.append(await agent.sent())
        plane.clock.advance(0.001 * (number + 1))
    assert [one.command_id for one in await client.ls(agent.deployment_id)] == sent[::-1]
    (lease,) = await agent.lease()
    assert [one.command_id for one in await client.ls(agent.deployment_id, "DISPATCHED")] == [lease["commandId"]]


async def test_a_signature_is_one_that_the_customers_agent_takes(plane: Plane, agent: Agent, wire: Wire) -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    client = Client("async", wire, await plane.token("send"), Signer("alice", key))
    await client.call("send", agent.deployment_id, "wipe", {"table": "users"}, target="worker")
    envelope = arc.Envelope.model_validate((await agent.lease())[0]["envelope"])
    assert envelope.signature is not None
    signed = signing.Signed(deployment_id=agent.deployment_id, command="wipe", params=b'{"table":"users"}')
    signing.check(signed, envelope.signature, {"alice": pem}, plane.clock().timestamp())
    other = signing.Signed(deployment_id=agent.deployment_id, command="wipe", params=b'{"table":"x"}')
    with pytest.raises(errors.Untrusted):
        signing.check(other, envelope.signature, {"alice": pem}, plane.clock().timestamp())
    await client.close()


def test_it_needs_the_base_dependencies_alone() -> None:
    heavy = ("pulumi", "fastapi", "sqlalchemy", "dbos", "starlette", "jwt", "yaml")
    code = f"import sys, alien_iac.client; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
