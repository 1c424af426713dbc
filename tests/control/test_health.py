"""What a supervisor and Prometheus are told, on both databases."""

import asyncio

from control.control_plane import URL, Agent, Plane
from prometheus_client.parser import text_string_to_metric_families


async def test_prometheus_gets_what_the_database_and_the_process_have(plane: Plane, agent: Agent) -> None:
    await plane.vendor_release("1.0", 1)
    await agent.beat("1.0")
    await agent.sent()
    await agent.lease()
    await agent.sent()
    held = asyncio.create_task(plane.ok("GET", "/telemetry/logs", params={"wait": 0}))
    await held
    found = await _metrics(plane)
    assert found['alien_deployments{"health": "healthy"}'] == 1
    assert found['alien_commands_open{"state": "DISPATCHED"}'] == 1
    assert found['alien_commands_open{"state": "PENDING"}'] == 1
    assert found["alien_writes_total{}"] >= found["alien_commits_total{}"] > 0
    assert 0 < found["alien_timestamp_expires_seconds{}"] <= 24 * 3600
    assert found["alien_held_requests{}"] == 0


async def _metrics(plane: Plane) -> dict[str, float]:
    async with plane.client(await plane.token("read")) as client:
        answer = await client.get(f"{URL}/metrics")
    assert answer.status_code == 200, answer.text
    return {
        f"{sample.name}{str(sample.labels).replace(chr(39), chr(34))}": sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_alive_and_ready_differ_at_the_end(plane: Plane) -> None:
    async with plane.client() as client:
        assert (await client.get(f"{URL}/health/ready")).json() == {"status": "ok"}
        plane.control.waiting.close()
        ready = await client.get(f"{URL}/health/ready")
        assert (ready.status_code, ready.json()["code"]) == (503, "UNAVAILABLE")
        assert (await client.get(f"{URL}/health/live")).status_code == 200


async def test_a_held_poll_is_told_to_come_back_when_the_server_ends(plane: Plane, agent: Agent) -> None:
    async def lease() -> tuple[int, object, str | None]:
        body = {"deploymentId": agent.deployment_id}
        answer = await plane.call("POST", "/commands/leases", body, agent.token, params={"wait": 20})
        return answer.status_code, answer.json()["leases"], answer.headers.get("retry-after")

    held = asyncio.create_task(lease())
    await asyncio.sleep(0.1)
    plane.control.waiting.close()
    assert await asyncio.wait_for(held, 2) == (200, [], "1")
