"""Commands as the control plane leases them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.agent_control import DEPLOYMENT

from alien_iac.protocol import arc
from alien_iac.protocol.outputs import DeploymentOutputs, Health, Invoke, Workload

UPLOAD = {
    "backend": {"type": "http", "url": "https://control.example/v1/blobs/cmd_1", "method": "PUT"},
    "expiration": datetime(2030, 1, 1, tzinfo=UTC),
    "operation": "put",
    "path": "x",
}


def envelope(command: str = "read", target: str = "worker", number: int = 1, **more: Any) -> arc.Envelope:
    kind = "container" if target == "api" else "worker"
    handling = {"submit_response_url": f"cmd_{number}/response?response_token=right", "storage_upload_request": UPLOAD}
    facts = {
        "deployment_id": DEPLOYMENT,
        "target": {"resource_id": target, "resource_type": kind},
        "command_id": f"cmd_{number}",
        "attempt": 1,
        "command": command,
        "params": inline({"limit": 5}),
        "response_handling": handling,
    }
    return arc.Envelope.model_validate({**facts, **more})


def lease(one: arc.Envelope, seconds: float = 60) -> dict[str, Any]:
    ends = datetime.now(UTC) + timedelta(seconds=seconds)
    return arc.Lease(
        lease_id=f"lease_{one.command_id}", lease_expires_at=ends, command_id=one.command_id, attempt=1, envelope=one
    ).dump()


def inline(value: object) -> arc.Inline:
    return arc.Inline(inline_base64=base64.b64encode(json.dumps(value).encode()).decode())


def success(value: object) -> arc.Success:
    return arc.Success(response=inline(value))


def outputs(folder: Path) -> DeploymentOutputs:
    invoke = Invoke(kind="http", url="http://worker/_alien/commands", token_file=str(folder / "token"))
    worker = Workload(id="worker", type="worker", commands=True, health=Health(kind="heartbeat"), invoke=invoke)
    api = Workload(id="api", type="container", commands=True, health=Health(kind="tcp"))
    return DeploymentOutputs(platform="local", workloads=(worker, api))
