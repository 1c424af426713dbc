"""Five-minute tokens for the published command clients: they ask for one with the token that they were given."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Request
from pydantic import AwareDatetime, Field

from alien_iac.control import commands, refusals, tokens
from alien_iac.control.collaborators import Parts
from alien_iac.control.routes.base import Routes
from alien_iac.control.security import SenderOrReceiver
from alien_iac.control.store import deployments
from alien_iac.control.store import tokens as store
from alien_iac.control.store.engine import Transaction
from alien_iac.control.tokens import Caller
from alien_iac.errors import Forbidden
from alien_iac.protocol import arc
from alien_iac.protocol.api import NewToken
from alien_iac.protocol.wire import Open

router = Routes(tags=["commands"])

LIFE = timedelta(minutes=5)


class AsSender(Open):
    """Wants to send commands to a deployment."""

    deployment_id: str
    role: Literal["sender"]


class AsReceiver(Open):
    """Wants to answer the commands of one workload."""

    deployment_id: str
    role: Literal["receiver"]
    target: str


class Capability(Open):
    """Where to go, with what, for how long."""

    manager_url: str
    token: str = Field(repr=False)
    expires_at: AwareDatetime
    target: arc.Target | None = None


@router.post("/commands/bootstrap")
async def bootstrap(
    request: Request,
    body: Annotated[AsSender | AsReceiver, Field(discriminator="role")],
    caller: SenderOrReceiver,
    control: Parts,
) -> Capability:
    """A short token for one deployment (and one workload), bought with a longer one."""
    caller.require(body.deployment_id)
    named = body.target if isinstance(body, AsReceiver) else None
    _check_may(caller, named)
    secret = tokens.mint("short")

    def work(transaction: Transaction) -> tuple[arc.Target | None, datetime]:
        row = deployments.row(transaction, body.deployment_id)
        target = _receiving(row["targets"], named) if named is not None else None
        new = NewToken(
            name=caller.name,
            scopes=("receive",) if target else ("send",),
            deployment_id=body.deployment_id,
            target=target.resource_id if target else None,
            ttl_seconds=int(LIFE.total_seconds()),
        )
        store.add(transaction, new, tokens.fresh("tok"), secret)
        return target, transaction.now + LIFE

    target, expires = await control.database.write(work)
    return Capability(manager_url=control.base_url(request), token=secret, expires_at=expires, target=target)


def _check_may(caller: Caller, named: str | None) -> None:
    """Forbidden where a token does not buy this role: one that receives buys its own target's only."""
    if not caller.has("receive" if named is not None else "send"):
        raise Forbidden(f"this needs a token with scope {'send' if named is None else 'receive'}")
    if named is not None and caller.target not in {None, named}:
        raise Forbidden(f'this token receives for "{caller.target}", not for "{named}"')


def _receiving(targets: Sequence[Mapping[str, str]], named: str) -> arc.Target:
    """The workload that receives its commands itself. NoReceiver for one that its agent calls."""
    target = commands.choose_target(targets, named)
    if target.resource_type == "worker":
        raise refusals.NoReceiver(f'"{named}" is a Function: the deployment\'s agent calls it with its commands')
    return target
