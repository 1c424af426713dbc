"""A command's parameters and result, read and written past its sender and its receiver."""

from fastapi import Request, Response

from alien_iac.control import commands, refusals
from alien_iac.control.collaborators import Control, Parts
from alien_iac.control.commands import Command
from alien_iac.control.routes.base import Routes
from alien_iac.control.routes.commands import bodies, visible
from alien_iac.control.routes.leases import record
from alien_iac.control.security import Admin, CommandReader
from alien_iac.control.store import audit
from alien_iac.control.store import commands as store
from alien_iac.control.store.commands import Params
from alien_iac.control.store.engine import Transaction
from alien_iac.control.tokens import Caller
from alien_iac.protocol import arc
from alien_iac.protocol.wire import Open

router = Routes(tags=["commands"])


class Given(Open):
    """What is to be put in the place of a command's parameters, or to be its result."""

    params: arc.Body | None = None
    response: arc.Response | None = None


class Payload(Given):
    """A command's parameters and its result, as far as there are any."""

    command_id: str


@router.get("/commands/{command_id}/payload")
async def read(command_id: str, request: Request, caller: CommandReader, control: Parts) -> Payload:
    """A command's parameters and result."""

    def work(transaction: Transaction) -> tuple[Command, Params]:
        return visible(transaction, command_id, caller), store.params(transaction, command_id)

    command, params = await control.database.read(work)
    here = bodies(control, request)
    sent = command.state != "PENDING_UPLOAD"
    return Payload(
        command_id=command_id,
        params=here.params(command_id, params) if sent else None,
        response=here.shown(command),
    )


@router.put("/commands/{command_id}/payload", status_code=200)
async def write(command_id: str, request: Request, body: Given, caller: Admin, control: Parts) -> Response:
    """Give a command its parameters, before it is delivered; or a leased one its result, which ends it."""
    if body.params is not None:
        await _put_params(control, request, command_id, body.params, caller)
    if body.response is not None:
        await record(control, request, command_id, body.response, None)
    return Response()


async def _put_params(control: Control, request: Request, command_id: str, body: arc.Body, caller: Caller) -> None:
    await control.database.read(lambda transaction: _undelivered(transaction, command_id))
    params = await bodies(control, request).keep_params(command_id, body)
    if params is None:
        raise refusals.CommandInvalid("the parameters are not inline", hint="large ones are uploaded by their sender")

    def work(transaction: Transaction) -> None:
        old = _undelivered(transaction, command_id)
        store.set_params(transaction, command_id, params)
        store.save(transaction, old, commands.uploaded(old))
        audit.append(transaction, caller.actor, "command.params", command_id)

    await control.database.write(work)


def _undelivered(transaction: Transaction, command_id: str) -> Command:
    """A command that nobody was given yet. WrongState otherwise."""
    found = commands.overdue(store.change(transaction, command_id), transaction.now)
    if found.state not in {"PENDING_UPLOAD", "PENDING"} or found.attempt > 1:
        raise refusals.WrongState(f"command {command_id} is {found.state}; its parameters were delivered")
    return found
