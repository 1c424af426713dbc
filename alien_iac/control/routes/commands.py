"""Commands from the sender's side: create, follow, list, cancel. The bodies are `arc.v1`'s."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Header, Query, Request
from pydantic import BaseModel, Field

from alien_iac.control import commands, refusals
from alien_iac.control.bodies import Bodies, params_name
from alien_iac.control.collaborators import Control, Parts
from alien_iac.control.commands import Command
from alien_iac.control.routes.base import PAGE, Routes, Wait
from alien_iac.control.security import CommandReader, Sender
from alien_iac.control.store import audit, deployments
from alien_iac.control.store import commands as store
from alien_iac.control.store.commands import Origin, Params
from alien_iac.control.store.engine import Transaction
from alien_iac.control.tokens import Caller, fresh
from alien_iac.errors import Conflict
from alien_iac.protocol import arc
from alien_iac.protocol.api import Page
from alien_iac.protocol.wire import Open

router = Routes(tags=["commands"])


class Trace(BaseModel):
    """The W3C trace that a command belongs to; it is handed on to the workload."""

    traceparent: str | None = Field(default=None, max_length=100)
    tracestate: str | None = Field(default=None, max_length=1000)


class Uploaded(Open):
    """`size`: bytes of the parameters that were uploaded."""

    size: int


class UploadSeen(Open):
    """The command, now that its parameters are there."""

    command_id: str
    state: arc.State


def bodies(control: Control, request: Request) -> Bodies:
    """The bodies as this caller reaches them."""
    base = control.base_url(request)
    return Bodies(folder=control.bodies, signer=control.signer, base=base, now=control.clock())


@router.post("/commands")
async def create(
    request: Request,
    body: arc.CreateCommand,
    caller: Sender,
    control: Parts,
    trace: Annotated[Trace, Header()],
) -> arc.CommandCreated:
    """Send a command to a workload of a deployment."""
    caller.require(body.deployment_id)
    command_id = fresh("cmd")
    here = bodies(control, request)
    params = await here.keep_params(command_id, body.params)
    context = trace.model_dump(exclude_none=True) if trace.traceparent else None
    origin = Origin(
        actor=caller.actor,
        request_hash=_hash(body),
        idempotency=body.idempotency_key,
        trace=context,
        signature=body.signature,
    )
    new = _New(id=command_id, body=body, params=params, origin=origin, most=control.most_open)
    made = await control.database.write(lambda transaction: _create(transaction, new))
    if made.id != command_id:
        control.bodies.remove(command_id)
    upload = here.upload(made.id) if made.state == "PENDING_UPLOAD" else None
    return arc.CommandCreated(
        command_id=made.id, state=made.state, storage_upload=upload, next="upload" if upload else "poll"
    )


def _hash(body: arc.CreateCommand) -> str:
    return hashlib.sha256(json.dumps(body.params.dump(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class _New:
    """A command that is to be made. `most`: how many of its deployment may wait."""

    id: str
    body: arc.CreateCommand
    params: Params | None
    origin: Origin
    most: int


def _create(transaction: Transaction, new: _New) -> Command:
    body, origin = new.body, new.origin
    row = deployments.row(transaction, body.deployment_id)
    if row["gone_at"]:
        raise refusals.CommandInvalid(f"deployment {body.deployment_id} is gone")
    target = commands.choose_target(row["targets"], body.target_resource_id)
    if origin.idempotency is not None:
        words = f"{body.deployment_id}:{target.resource_id}:{body.command}:{origin.idempotency}"
        origin = replace(origin, idempotency=hashlib.sha256(words.encode()).hexdigest())
        known = store.earlier(transaction, str(origin.idempotency))
        if known is not None:
            return _same(known, origin.request_hash)
    store.check_room(transaction, body.deployment_id, new.most)
    made = commands.new(new.id, body, target, transaction.now, upload=new.params is None)
    store.add(transaction, made, new.params or Params(), origin)
    return made


def _same(known: tuple[Command, str], request_hash: str) -> Command:
    command, before = known
    if before != request_hash:
        raise Conflict(
            f"the idempotency key was used for command {command.id}, with other parameters",
            hint="use a new key for a new command",
        )
    return command


class Listed(BaseModel):
    """Which commands a list shows."""

    deployment: str | None = None
    state: arc.State | None = None
    cursor: str | None = Field(default=None, max_length=500, description="`next` of the page before.")
    limit: int = Field(default=PAGE, ge=1, le=500)


@router.get("/commands")
async def ls(caller: CommandReader, control: Parts, which: Annotated[Listed, Query()]) -> Page[arc.CommandSummary]:
    """Commands, newest first."""
    if which.deployment is not None:
        caller.require(which.deployment)
    only = which.deployment or caller.deployment_id
    found, following = await control.database.read(
        lambda transaction: store.rows(transaction, only, which.state, which.cursor, which.limit)
    )
    return Page[arc.CommandSummary](items=tuple(found), next=following)


@router.get("/commands/{command_id}")
async def status(
    command_id: str, request: Request, caller: CommandReader, control: Parts, wait: Wait = 0
) -> arc.CommandStatus:
    """How a command is; with `wait`, held until it has ended."""

    async def look() -> tuple[Command, bool, None]:
        command = await control.database.read(lambda transaction: visible(transaction, command_id, caller))
        return command, command.ended, None

    found = await control.waiting.until((f"command:{command_id}",), look, wait, control.clock)
    return bodies(control, request).status(found)


def visible(transaction: Transaction, command_id: str, caller: Caller) -> Command:
    """A command as this caller may see it. CommandUnknown for one of another deployment."""
    command = store.get(transaction, command_id)
    if caller.deployment_id not in {None, command.deployment_id}:
        raise refusals.CommandUnknown(f'there is no command "{command_id}"')
    return command


@router.post("/commands/{command_id}/upload-complete")
async def upload_complete(command_id: str, body: Uploaded, caller: Sender, control: Parts) -> UploadSeen:
    """The parameters were uploaded: the command may be delivered."""
    size = control.bodies.size(params_name(command_id))

    def work(transaction: Transaction) -> Command:
        visible(transaction, command_id, caller)
        old = store.change(transaction, command_id)
        if size != body.size:
            raise refusals.CommandInvalid(f"{size or 0} bytes were uploaded, not {body.size}")
        new = commands.uploaded(commands.overdue(old, transaction.now))
        if old.state == "PENDING_UPLOAD":
            store.set_params(transaction, command_id, Params(size=size))
        store.save(transaction, old, new)
        return new

    made = await control.database.write(work)
    return UploadSeen(command_id=made.id, state=made.state)


@router.post("/commands/{command_id}/cancel")
async def cancel(command_id: str, request: Request, caller: Sender, control: Parts) -> arc.CommandStatus:
    """End a command that has not ended. A handler that runs is not stopped; its result is dropped."""

    def work(transaction: Transaction) -> Command:
        visible(transaction, command_id, caller)
        old = store.change(transaction, command_id)
        new = commands.cancel(old, transaction.now)
        store.save(transaction, old, new)
        if not old.ended:
            audit.append(transaction, caller.actor, "command.cancel", command_id)
        return new

    return bodies(control, request).status(await control.database.write(work))
