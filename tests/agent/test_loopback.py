"""The agent's own server, over its real routes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from agent.agent_commands import envelope, success
from agent.agent_control import DEPLOYMENT

from alien_iac.agent.beats import Beats
from alien_iac.agent.gateway import Gateway
from alien_iac.agent.loopback import Loopback
from alien_iac.agent.mailbox import Lost, Mailbox
from alien_iac.agent.outbox import Outbox
from alien_iac.protocol import arc

BEAT = {"deploymentId": DEPLOYMENT, "resourceId": "api", "release": "1.0", "health": "healthy"}
MINE = {"authorization": "Bearer token-of-api"}
ASK = {"deploymentId": DEPLOYMENT, "target": {"resourceId": "api", "resourceType": "container"}}


class Server:
    def __init__(self, folder: Path) -> None:
        for name in ("api", "index"):
            (folder / name).write_text(f"token-of-{name}\n")
        self.beats, self.mailbox = Beats(), Mailbox()
        self.outbox = Outbox(folder / "telemetry.sqlite")
        gateway = Gateway(self.outbox, lambda: "events")
        app = Loopback(DEPLOYMENT, lambda name: folder / name, self.beats, self.mailbox, gateway).app()
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://agent")

    async def lease(self, **more: Any) -> tuple[arc.Lease, ...]:
        answer = await self.http.post("/v1/commands/leases", params={"wait": "5"}, json={**ASK, **more}, headers=MINE)
        assert answer.status_code == 200
        return arc.Leases.model_validate_json(answer.content).leases


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path)
    yield server
    await server.http.aclose()
    server.outbox.close()


async def test_a_heartbeat_with_the_workloads_own_token_is_heard(server: Server) -> None:
    answer = await server.http.post("/v1/heartbeats", json=BEAT, headers=MINE)
    assert answer.status_code == 204
    heard = server.beats.newest("api", 10)
    assert heard
    assert heard.release == "1.0"


@pytest.mark.parametrize(
    ("changed", "token", "status"),
    [
        ({}, "wrong", 401),
        ({}, "", 401),
        ({}, "token-of-index", 401),
        ({"resourceId": "nobody"}, "token-of-api", 401),
        ({"resourceId": "../api"}, "token-of-api", 401),
        ({"deploymentId": "dep_2"}, "token-of-api", 403),
        ({"health": "splendid"}, "token-of-api", 400),
    ],
)
async def test_whoever_is_not_that_workload_is_refused(
    server: Server, changed: dict[str, str], token: str, status: int
) -> None:
    headers = {"authorization": f"Bearer {token}"}
    answer = await server.http.post("/v1/heartbeats", json={**BEAT, **changed}, headers=headers)
    assert answer.status_code == status
    assert "token-of" not in answer.text
    assert server.beats.newest("api", 10) is None


async def test_a_command_is_leased_and_answered_by_its_own_url(server: Server) -> None:
    delivery = asyncio.create_task(server.mailbox.deliver(envelope(target="api")))
    (lease,) = await server.lease()
    url = httpx.URL("http://agent/v1/commands/leases").join(lease.envelope.response_handling.submit_response_url)
    forged = url.copy_merge_params({"response_token": "guess"})
    assert (await server.http.put(forged, json=success(1).dump())).status_code == 404
    assert (await server.http.put(url, json=success(2).dump())).status_code == 200
    assert await delivery == success(2)
    assert (await server.http.put(url, json=success(3).dump())).status_code == 404


async def test_a_command_is_given_to_one_poll_and_the_workload_may_give_it_back(server: Server) -> None:
    delivery = asyncio.create_task(server.mailbox.deliver(envelope(target="api")))
    (lease,) = await server.lease()
    assert await server.mailbox.lease("api", 1, 60, 0) == ()
    release = f"/v1/commands/leases/{lease.lease_id}/release"
    other = {"authorization": "Bearer token-of-index"}
    assert (await server.http.post(release, json={}, headers=other)).status_code == 401
    assert (await server.http.post(release, json={}, headers=MINE)).status_code == 200
    with pytest.raises(Lost):
        await delivery
    assert (await server.http.post(release, json={}, headers=MINE)).status_code == 404


async def test_a_lease_that_runs_out_ends_the_delivery(server: Server) -> None:
    delivery = asyncio.create_task(server.mailbox.deliver(envelope(target="api")))
    await server.lease(leaseSeconds=1)
    with pytest.raises(Lost):
        await asyncio.wait_for(delivery, 3)


async def test_a_lease_that_is_renewed_holds_for_longer(server: Server) -> None:
    delivery = asyncio.create_task(server.mailbox.deliver(envelope(target="api")))
    (lease,) = await server.lease(leaseSeconds=1)
    renew = f"/v1/commands/leases/{lease.lease_id}/renew"
    other = {"authorization": "Bearer token-of-index"}
    assert (await server.http.post(renew, json={"leaseSeconds": 60}, headers=other)).status_code == 401
    renewed = await server.http.post(renew, json={"leaseSeconds": 60}, headers=MINE)
    assert arc.Renewed.model_validate_json(renewed.content).lease_expires_at > lease.lease_expires_at
    await asyncio.sleep(1.2)
    assert not delivery.done()
    server.mailbox.release(lease.lease_id)
    with pytest.raises(Lost):
        await delivery
    assert (await server.http.post(renew, json={}, headers=MINE)).status_code == 404


async def test_what_is_left_of_a_command_shrinks_while_it_waits(server: Server) -> None:
    delivery = asyncio.create_task(server.mailbox.deliver(envelope(target="api", remaining_seconds=5.0)))
    await asyncio.sleep(0.1)
    (lease,) = await server.lease()
    assert lease.envelope.remaining_seconds is not None
    assert lease.envelope.remaining_seconds < 4.95
    delivery.cancel()


async def test_what_is_taken_back_is_not_leased(server: Server) -> None:
    delivery = asyncio.create_task(server.mailbox.deliver(envelope(target="api")))
    await asyncio.sleep(0)
    delivery.cancel()
    await asyncio.gather(delivery, return_exceptions=True)
    assert await server.mailbox.lease("api", 1, 60, 0) == ()


async def test_commands_of_another_workload_are_not_leased(server: Server) -> None:
    delivery = asyncio.create_task(server.mailbox.deliver(envelope(target="index")))
    await asyncio.sleep(0)
    assert await server.mailbox.lease("api", 1, 60, 0) == ()
    delivery.cancel()


@pytest.mark.parametrize("body", [b"{", b'{"status": "perhaps"}'])
async def test_a_result_that_is_none_says_so(server: Server, body: bytes) -> None:
    answer = await server.http.put("/v1/commands/cmd_1/response", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUT")


async def test_polls_that_wait_end_with_the_agent(server: Server) -> None:
    polling = asyncio.create_task(server.lease())
    await asyncio.sleep(0.05)
    await server.mailbox.close()
    assert await asyncio.wait_for(polling, 1) == ()


async def test_there_is_nothing_else(server: Server) -> None:
    answer = await server.http.get("/")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
