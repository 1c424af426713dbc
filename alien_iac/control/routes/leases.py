"""Commands from the receiver's side: lease them, answer them, give them back."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from alien_iac.control import commands, refusals
from alien_iac.control.blobs import Folder
from alien_iac.control.bodies import is_small, may_be_put
from alien_iac.control.collaborators import Control, Parts
from alien_iac.control.commands import Command
from alien_iac.control.routes.base import Routes, Wait
from alien_iac.control.routes.commands import bodies
from alien_iac.control.security import Receiver, authenticate
from alien_iac.control.signatures import Answering, Operation
from alien_iac.control.store import commands as store
from alien_iac.control.store.commands import Delivery
from alien_iac.control.store.engine import Transaction
from alien_iac.control.tokens import Caller
from alien_iac.errors import Forbidden, NotFound, Unauthorized
from alien_iac.protocol import arc

router = Routes(tags=["commands"])


class ByUrl(BaseModel):
    """What the query of a lease's `submitResponseUrl` says."""

    response_token: str | None = Field(default=None, max_length=64)
    expires: int = 0
    lease: str | None = Field(default=None, max_length=64)
    attempt: int = 0


@router.post("/commands/leases")
async def acquire(
    request: Request, body: arc.LeaseRequest, caller: Receiver, control: Parts, wait: Wait = 0
) -> arc.Leases:
    """Lease commands; with `wait`, held until there are some. A deployment's agent leaves `target` out."""
    target = _target(caller, body)
    if target is None and body.holding is not None:
        await _return_lost(control, body.deployment_id, body.holding)

    def take(transaction: Transaction) -> tuple[list[Delivery], datetime | None]:
        found = store.acquire(transaction, body.deployment_id, target, body.max_leases, body.lease_seconds)
        return found, None if found else store.next_available(transaction, body.deployment_id, target)

    async def look() -> tuple[list[Delivery], bool, datetime | None]:
        found, again = await control.database.write(take)
        if found and await request.is_disconnected():
            await control.database.write(lambda transaction: _give_back(transaction, found))
            found = []
        return found, bool(found), again

    topic = store.work_topics(body.deployment_id, target)[-1]
    found = await control.waiting.until((topic,), look, wait, control.clock)
    here = bodies(control, request)
    return arc.Leases(leases=tuple(here.lease(delivery) for delivery in found))


def _target(caller: Caller, body: arc.LeaseRequest) -> str | None:
    caller.require(body.deployment_id)
    named = body.target.resource_id if body.target else None
    if caller.target is not None and named not in {None, caller.target}:
        raise Forbidden(f'this token leases for "{caller.target}", not for "{named}"')
    if named is None and caller.target is None and not caller.has("agent") and "admin" not in caller.scopes:
        raise Forbidden("only a deployment's agent leases for all workloads", hint="name a target")
    return named or caller.target


async def _return_lost(control: Control, deployment_id: str, holding: Collection[str]) -> None:
    """Let the commands be delivered again whose leases never reached the agent, or died with it."""
    found = await control.database.read(lambda transaction: store.lost(transaction, deployment_id, holding))
    if not found:
        return

    def work(transaction: Transaction) -> None:
        for old in store.lost(transaction, deployment_id, holding):
            store.save(transaction, old, commands.release(old, transaction.now))

    await control.database.write(work)


def _give_back(transaction: Transaction, deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        old = store.change(transaction, delivery.command.id)
        if old.lease_id == delivery.command.lease_id and old.state == "DISPATCHED":
            store.save(transaction, old, commands.give_back(old))


@router.post("/commands/leases/{lease_id}/release", status_code=200)
async def release(lease_id: str, caller: Receiver, control: Parts) -> Response:
    """Give a lease up: the command is delivered again at once."""

    def work(transaction: Transaction) -> None:
        old = store.leased(transaction, lease_id)
        if not _owns(caller, old):
            raise refusals.LeaseUnknown(f'there is no lease "{lease_id}"')
        store.save(transaction, old, commands.release(old, transaction.now))

    await control.database.write(work)
    return Response()


@router.put("/commands/{command_id}/response", status_code=200)
async def respond(
    command_id: str,
    request: Request,
    body: arc.Response,
    control: Parts,
    by: Annotated[ByUrl, Query()],
) -> Response:
    """Record a command's result, once. By the URL of the lease, or with the token of a receiver."""
    if "authorization" in request.headers:
        caller = await authenticate(request, control)
        await control.database.read(lambda transaction: _may_answer(transaction, caller, command_id))
    elif by.response_token is not None and by.lease is not None:
        answering = Answering(command_id, by.lease, by.attempt)
        control.signer.check_answer(answering, by.response_token, by.expires, control.clock())
    else:
        raise Unauthorized("no credentials", hint="answer by the lease's submitResponseUrl")
    await _record(control, request, command_id, body, by.lease)
    return Response()


def _may_answer(transaction: Transaction, caller: Caller, command_id: str) -> None:
    if not caller.has("agent", "receive"):
        raise Forbidden("this needs a token with scope agent or receive")
    if not _owns(caller, store.get(transaction, command_id)):
        raise refusals.CommandUnknown(f'there is no command "{command_id}"')


def _owns(caller: Caller, command: Command) -> bool:
    mine = caller.deployment_id in {None, command.deployment_id}
    return mine and caller.target in {None, command.target.resource_id}


async def _record(
    control: Control, request: Request, command_id: str, body: arc.Response, lease_id: str | None
) -> None:
    if not is_small(body):
        before = await control.database.read(lambda transaction: store.get(transaction, command_id))
        if commands.answer(before, body, lease_id, control.clock()) == before:
            return  # it has ended
        lease_id = lease_id or before.lease_id
        body = await bodies(control, request).keep_response(body, before)

    def work(transaction: Transaction) -> None:
        old = store.change(transaction, command_id)
        store.save(transaction, old, commands.answer(old, body, lease_id, transaction.now))

    await control.database.write(work)


Expires = Annotated[int, Query()]
Signature = Annotated[str, Query(max_length=64)]


@router.put("/command-bodies/{name}", status_code=204)
async def put_body(name: str, request: Request, control: Parts, expires: Expires, signature: Signature) -> None:
    """Take a large body by its signed URL."""
    _check(control, name, "put", expires, signature)
    command = await control.database.read(lambda transaction: store.get(transaction, name.partition(".")[0]))
    if not may_be_put(name, command):
        raise refusals.WrongState(f"command {command.id} is {command.state}; it takes no such body any more")
    await control.bodies.put(name, request.stream())


@router.get("/command-bodies/{name}")
async def get_body(name: str, control: Parts, expires: Expires, signature: Signature) -> FileResponse:
    """Give a large body by its signed URL."""
    _check(control, name, "get", expires, signature)
    return file_response(control.bodies, name)


def file_response(folder: Folder, name: str) -> FileResponse:
    """A stored file. NotFound where there is none."""
    if folder.size(name) is None:
        raise NotFound(f'there is no file "{name}"')
    return FileResponse(folder.path(name), media_type="application/octet-stream")


def _check(control: Control, name: str, operation: Operation, expires: int, signature: str) -> None:
    control.signer.check_body(name, operation, signature, expires, control.clock())
