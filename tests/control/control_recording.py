"""Today's agent at its work against a control plane, so that what it says can be recorded."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from client.client_side import Blocking
from control.control_exchanges import BASE, CONTENT, Recorder
from control.control_plane import API, WORKER, Plane, inline

from alien_iac.agent.client import Control, Credentials, Wanted
from alien_iac.agent.enrol import enrol
from alien_iac.agent.place import Place
from alien_iac.protocol import arc
from alien_iac.protocol.api import Heartbeat, Report, WorkloadHealth

TARGETS = (WORKER, API)
Send = Callable[..., Awaitable[Any]]


def result(value: object) -> arc.Success:
    return arc.Success(response=arc.Inline(inline_base64=base64.b64encode(json.dumps(value).encode()).decode()))


async def record_agent(plane: Plane, recorder: Recorder, folder: Path) -> None:
    """Enrol, ask for a token, poll, report, beat, lease, renew, answer, give back; small bodies and large ones."""
    headers = {"authorization": f"Bearer {plane.admin}"}
    async with httpx.AsyncClient(transport=recorder, base_url=f"{BASE}/v1", headers=headers) as admin:
        body = {"customer": "acme", "platform": "local", "labels": {"tier": "gold"}}
        made = (await admin.post("/enrolment-codes", json=body)).json()
        blocking = Blocking(recorder)
        identity = await asyncio.to_thread(lambda: enrol(BASE, made["code"], folder, transport=blocking))
        credentials = Credentials(identity.deployment_id, Place(folder).key.read_bytes())
        control = Control(BASE, credentials, transport=recorder, clock=lambda: plane.clock().timestamp())
        try:
            await _live(control)
            await _work(control, lambda **more: _send(admin, identity.deployment_id, **more))
        finally:
            await control.close()


async def _send(admin: httpx.AsyncClient, deployment: str, **more: Any) -> Any:
    body = {"deploymentId": deployment, "command": "read", "targetResourceId": "worker", "params": inline(1), **more}
    return (await admin.post("/commands", json=body)).json()


async def _live(control: Control) -> None:
    """What an agent says of itself."""
    await control.desired(after=-1, wait=0)
    for number, phase in enumerate(("accepted", "applying", "verifying", "succeeded")):
        more: dict[str, Any] = {"release": "1.0", "targets": TARGETS} if phase == "succeeded" else {}
        await control.report(Report.model_validate({"id": f"0-{number}", "revision": 0, "phase": phase, **more}))
    well = WorkloadHealth(id="worker", health="healthy", release="1.0")
    await control.heartbeat(
        Heartbeat(agent_version="0.1.0", release="1.0", sequence=1, health="healthy", workloads=(well,))
    )


async def _work(control: Control, send: Send) -> None:
    """Commands, each with another end."""
    await send()
    await send(command="fail", targetResourceId="api")
    leased = await control.lease(Wanted(most=16, seconds=960), wait=0)
    first, second = leased.leases
    await control.renew(first.lease_id, 960)
    await _respond(control, leased.url, first, result({"rows": 5}))
    await _respond(control, leased.url, second, arc.Failure(code="HANDLER_ERROR", message="no such table"))
    await send(params=inline(json.loads(CONTENT)))
    leased = await control.lease(Wanted(most=16, seconds=960, full=["api"]), wait=0)
    (large,) = leased.leases
    assert isinstance(large.envelope.params, arc.Stored)
    assert large.envelope.params.storage_get_request is not None
    content = await control.exchange(large.envelope.params.storage_get_request)
    await control.exchange(large.envelope.response_handling.storage_upload_request, content)
    stored = arc.Success(response=arc.Stored(size=len(content), storage_put_used=True))
    await _respond(control, leased.url, large, stored)
    await send()
    (back,) = (await control.lease(Wanted(most=16, seconds=960), wait=0)).leases
    await control.give_back(back.lease_id)
    (again,) = (await control.lease(Wanted(most=16, seconds=960), wait=0)).leases
    (lost,) = (await control.lease(Wanted(most=16, seconds=960, holding=()), wait=0)).leases
    assert again.command_id == lost.command_id
    assert (await control.lease(Wanted(most=16, seconds=960, holding=[lost.lease_id]), wait=0)).leases == ()


async def _respond(control: Control, url: str, lease: arc.Lease, response: arc.Success | arc.Failure) -> None:
    where = str(httpx.URL(url).join(lease.envelope.response_handling.submit_response_url))
    await control.respond(where, response)
