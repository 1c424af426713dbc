"""One command from the vendor's side: create it, wait for its end, read its result."""

import base64
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from alien_iac import errors
from alien_iac.cli import remote
from alien_iac.models.units import parse_seconds
from alien_iac.protocol import arc


@dataclass(frozen=True)
class Asked:
    """What is asked of which deployment. `parameters` is JSON text, `limit` a duration such as "1m"."""

    deployment_id: str
    name: str
    parameters: str = "{}"
    limit: str = "1m"
    target: str | None = None
    idempotency_key: str | None = None


def invoke(control: remote.Remote, asked: Asked) -> Any:
    """The result of a command. Raises HandlerFailed with the workload's code, or Unavailable when time ran out."""
    seconds = _seconds(asked.limit)
    body = arc.CreateCommand(
        deployment_id=asked.deployment_id,
        command=asked.name,
        params=_inline(asked.parameters),
        deadline=datetime.now(UTC) + timedelta(seconds=seconds),
        idempotency_key=asked.idempotency_key,
        target_resource_id=asked.target,
    )
    made = control.post(arc.CommandCreated, "/commands", body)
    return _result(_wait(control, made.command_id, seconds))


def _seconds(limit: str) -> int:
    try:
        return parse_seconds(limit)
    except ValueError as error:
        raise errors.InvalidInput(f"--timeout: {error}") from error


def _inline(text: str) -> arc.Inline:
    try:
        json.loads(text)
    except ValueError as error:
        raise errors.InvalidInput(
            f"the parameters are not JSON: {error}", hint="""write them as '{"limit": 5}'"""
        ) from error
    return arc.Inline(inline_base64=base64.b64encode(text.encode()).decode())


def _wait(control: remote.Remote, command_id: str, seconds: int) -> arc.CommandStatus:
    end = time.monotonic() + seconds + 1
    while True:
        hold = max(0, min(remote.HOLD_S, int(end - time.monotonic()) + 1))
        status = control.get(arc.CommandStatus, f"/commands/{command_id}", wait=hold)
        if status.state in arc.TERMINAL:
            return status
        if time.monotonic() > end:
            raise errors.Unavailable(
                f"command {command_id} is {status.state} after {seconds} s", hint="is its agent running?"
            )


def _result(status: arc.CommandStatus) -> Any:
    match status.response:
        case arc.Success(response=arc.Inline(inline_base64=text)):
            return json.loads(base64.b64decode(text))
        case arc.Success(response=arc.Stored(storage_get_request=arc.PresignedRequest(backend=backend))):
            answer = httpx.request(backend.method, backend.url, headers=backend.headers, timeout=120)
            return json.loads(answer.raise_for_status().content)
        case arc.Failure(code=code, message=message, details=details):
            raise errors.HandlerFailed(
                f"{status.target.resource_id}: {message} [{code}]", hint=details, commandCode=code
            )
        case _:
            raise errors.HandlerFailed(
                f"command {status.command_id} is {status.state} without a result",
                hint="it was not answered before its deadline; is the agent running?",
                commandCode=status.state,
            )
