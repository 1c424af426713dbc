"""Commands from the receiver's side: lease them, answer them, give them back."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from alien_iac.control import commands, refusals
from alien_iac.control.bodies import is_small
from alien_iac.control.collaborators import Control, Parts
from alien_iac.control.commands import Command
from alien_iac.control.routes.base import Routes, Wait
from alien_iac.control.routes.commands import bodies
from alien_iac.control.security import Receiver, authenticate
from alien_iac.control.signatures import Answering
from alien_iac.control.store import commands as store
from alien_iac.control.store import deployments
from alien_iac.control.store.commands import Delivery, Wanted
from alien_iac.control.store.engine import Transaction
from alien_iac.control.tokens import Caller
from alien_iac.errors import Forbidden, Unauthorized
from alien_iac.protocol import arc

router = Routes(tags=["commands"])


class ByUrl(BaseModel):
    """What the query of a lease's `submitResponseUrl` says."""

    response_token: str | None = Field(default=None, max_length=64)
    expires: int = Field(default=0, ge=0, lt=1 << 40)
    lease: str | None = Field(default=None, max_length=64)
    attempt: int = 0


@router.post("/commands/leases")
async def acquire(
    request: Request, body: arc.LeaseRequest, caller: Receiver, control: Parts, wait: Wait = 0
) -> arc.Leases:
    """Lease commands; with `wait`, held until there are some. A deployment's agent leaves `target` out."""
    target = _target(caller, body)
    if caller.target is not None and body.target is not None:
        await _hear(control, body.deployment_id, body.target)
    if target is None and body.holding is not None:
        await _return_lost(control, body.deployment_id, body.holding)

    wanted = Wanted(
        deployment_id=body.deployment_id, count=body.count, seconds=body.seconds, target=target, full=body.full or ()
    )

    def take(transaction: Transaction) -> tuple[list[Delivery], datetime | None]:
        found = store.acquire(transaction, wanted)
        return found, None if found else store.next_available(transaction, wanted)

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


async def _hear(control: Control, deployment_id: str, target: arc.Target) -> None:
    """Know of a receiver of a deployment that no agent speaks for, so that commands can be sent to it."""
    known = await control.database.read(lambda transaction: deployments.row(transaction, deployment_id))
    if known["last_seen"] is None and target.dump() not in known["targets"]:
        await control.database.write(lambda transaction: deployments.heard(transaction, deployment_id, target))


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
        old = _held(transaction, lease_id, caller)
        store.save(transaction, old, commands.release(old, transaction.now))

    await control.database.write(work)
    return Response()


@router.post("/commands/leases/{lease_id}/renew")
async def renew(lease_id: str, body: arc.RenewLease, caller: Receiver, control: Parts) -> arc.Renewed:
    """Hold a lease for longer: so many seconds from now."""

    def work(transaction: Transaction) -> Command:
        old = _held(transaction, lease_id, caller)
        new = commands.renew(old, body.seconds, transaction.now)
        store.save(transaction, old, new)
        return new

    ends = (await control.database.write(work)).lease_expires_at
    return arc.Renewed.model_validate({"leaseId": lease_id, "leaseExpiresAt": ends})


def _held(transaction: Transaction, lease_id: str, caller: Caller) -> Command:
    """The command of a lease that is the caller's. LeaseUnknown otherwise."""
    found = store.leased(transaction, lease_id)
    if not _owns(caller, found):
        raise refusals.LeaseUnknown(f'there is no lease "{lease_id}"')
    return found


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
    await record(control, request, command_id, body, by.lease)
    return Response()


def _may_answer(transaction: Transaction, caller: Caller, command_id: str) -> None:
    if not caller.has("agent", "receive"):
        raise Forbidden("this needs a token with scope agent or receive")
    if not _owns(caller, store.get(transaction, command_id)):
        raise refusals.CommandUnknown(f'there is no command "{command_id}"')


def _owns(caller: Caller, command: Command) -> bool:
    mine = caller.deployment_id in {None, command.deployment_id}
    return mine and caller.target in {None, command.target.resource_id}


async def record(control: Control, request: Request, command_id: str, body: arc.Response, lease_id: str | None) -> None:
    """Write a result, once. `lease_id` None: whoever gives it speaks for the lease that holds now."""
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
