"""Commands of a deployment: the list, one with its result, and a new one, which is confirmed before it is sent."""

import base64
import json
from typing import Annotated, cast, get_args

from fastapi import Form, Query
from fastapi.responses import Response
from pydantic import Field

from alien_iac.control import bodies, refusals
from alien_iac.control.commands import Command
from alien_iac.control.dashboard.deployments import deployment, workloads_of
from alien_iac.control.dashboard.visitors import Invoking, Reading, Screen, Sending
from alien_iac.control.routes import commands as api
from alien_iac.control.routes.base import Cursor, Routes
from alien_iac.control.tokens import fresh
from alien_iac.errors import InvalidInput
from alien_iac.protocol import arc
from alien_iac.protocol.wire import Open

router = Routes(prefix="/deployments/{deployment_id}")

STATES: tuple[str, ...] = get_args(arc.State)
SHOWN = 20_000
"""Characters of a result that a page shows."""


class Order(Open):
    """A command as the form has it. `resource` and `command` are one field of it, since they are chosen together."""

    what: str = Field(default="", max_length=400)
    params: str = Field(default="{}", max_length=100_000)
    key: str = Field(default="", max_length=100)

    @property
    def resource(self) -> str:
        return self.what.partition(":")[0]

    @property
    def command(self) -> str:
        return self.what.partition(":")[2]

    def check(self) -> None:
        """InvalidInput where no command is chosen, or its parameters are not a JSON object."""
        if not self.resource or not self.command:
            raise InvalidInput("no command is chosen")
        try:
            found = json.loads(self.params)
        except ValueError as error:
            raise InvalidInput(f"the parameters are not JSON: {error}") from error
        if not isinstance(found, dict):
            raise InvalidInput("the parameters must be a JSON object", hint='such as {"path": "a.txt"}')


@router.get("/commands")
async def ls(
    deployment_id: str, seen: Reading, state: Annotated[str, Query(max_length=20)] = "", cursor: Cursor = None
) -> Response:
    """The deployment's commands, newest first."""
    head = await deployment(seen, deployment_id)
    which = api.Listed(
        deployment=deployment_id,
        state=cast("arc.State", state) if state in STATES else None,
        cursor=cursor,
        limit=50,
    )
    found = await api.ls(seen.caller, seen.control, which)
    return seen.show(
        "commands.html", deployment=head, tab="commands", page=found, state=state, states=STATES, cursor=cursor
    )


@router.get("/commands/{command_id}")
async def show(deployment_id: str, command_id: str, seen: Reading) -> Response:
    """One command and its result."""
    head = await deployment(seen, deployment_id)
    found = await seen.control.database.read(lambda transaction: api.visible(transaction, command_id, seen.caller))
    if found.deployment_id != deployment_id:
        raise refusals.CommandUnknown(f'there is no command "{command_id}" of this deployment')
    return seen.show("command.html", deployment=head, tab="commands", command=found, result=_result(found))


def _result(command: Command) -> str:
    match command.response:
        case arc.Success(response=arc.Inline() as inline):
            return _text(bodies.decode(inline))
        case arc.Success(response=arc.Stored(size=size)):
            return f"{size or 0:,} bytes; `alien command show {command.id}` has them"
        case arc.Failure(code=code, message=message):
            return f"{code}: {message}"
        case _:
            return ""


def _text(content: bytes) -> str:
    try:
        told = json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    except ValueError:  # neither JSON nor, perhaps, text: shown as what it is
        told = content.decode(errors="replace")
    return told if len(told) <= SHOWN else told[:SHOWN] + f"\n… {len(told) - SHOWN:,} more characters"


@router.get("/invoke")
async def form(deployment_id: str, seen: Sending, what: Annotated[str, Query(max_length=400)] = "") -> Response:
    """The form of a new command."""
    return await _form(seen, deployment_id, Order(what=what))


async def _form(seen: Screen, deployment_id: str, order: Order, error: InvalidInput | None = None) -> Response:
    head = await deployment(seen, deployment_id)
    workloads = [each for each in await workloads_of(seen, deployment_id) if each.commands]
    status = error.http_status if error else 200
    return seen.show(
        "invoke.html", status=status, deployment=head, tab="commands", workloads=workloads, order=order, error=error
    )


@router.post("/invoke/review")
async def review(deployment_id: str, seen: Invoking, order: Annotated[Order, Form()]) -> Response:
    """What will be sent, to be confirmed."""
    try:
        order.check()
    except InvalidInput as error:
        return await _form(seen, deployment_id, order, error)
    head = await deployment(seen, deployment_id)
    order = order.model_copy(update={"key": fresh("web")})
    return seen.show("invoke_confirm.html", deployment=head, tab="commands", order=order)


@router.post("/invoke")
async def send(deployment_id: str, seen: Invoking, order: Annotated[Order, Form()]) -> Response:
    """Send it. Sent again, it is the same command."""
    order.check()
    body = arc.CreateCommand(
        deployment_id=deployment_id,
        command=order.command,
        target_resource_id=order.resource,
        params=arc.Inline(inline_base64=base64.b64encode(order.params.encode()).decode()),
        idempotency_key=order.key or None,
    )
    made = await api.create(seen.request, body, seen.caller, seen.control, api.Trace())
    return seen.go(f"/deployments/{deployment_id}/commands/{made.command_id}")
