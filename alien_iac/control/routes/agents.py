"""What an agent asks and tells: what to run, how it goes, that it lives."""

import asyncio

from fastapi import Response

from alien_iac.control.collaborators import Control, Parts
from alien_iac.control.routes.base import Routes, Wait
from alien_iac.control.security import Agent
from alien_iac.control.store import deployments, desired, reports, rollouts
from alien_iac.control.store.engine import Transaction
from alien_iac.control.tokens import Caller
from alien_iac.errors import Forbidden
from alien_iac.protocol.api import Desired, Heartbeat, Report
from alien_iac.rollout.events import Event, Reported, Seen

router = Routes(tags=["agents"], prefix="/agent")


def deployment_of(caller: Caller) -> str:
    """The deployment that an agent's token is for."""
    if caller.deployment_id is None:
        raise Forbidden("this token is not bound to a deployment")
    return caller.deployment_id


@router.get("/desired")
async def get_desired(caller: Agent, control: Parts, wait: Wait = 0, after: int = -1) -> Desired:
    """What to run; with `wait`, held until its revision is above `after`."""
    deployment_id = deployment_of(caller)

    async def look() -> tuple[Desired, bool, None]:
        found = await control.database.read(lambda transaction: desired.get(transaction, deployment_id))
        return found, found.revision > after, None

    return await control.waiting.until((desired.topic(deployment_id),), look, wait, control.clock)


@router.post("/reports", status_code=204)
async def report(body: Report, caller: Agent, control: Parts) -> Response:
    """Take a report. Sent again, it is taken once.

    The rollout hears of it first: if we die in between, the agent sends it again, and the rollout has seen it already.
    """
    deployment_id = deployment_of(caller)

    def look(transaction: Transaction) -> tuple[bool, str | None]:
        wanted = desired.row(transaction, deployment_id)
        current = wanted["rollout_id"] if wanted["revision"] == body.revision else None
        return reports.known(transaction, deployment_id, body.id), _if_running(transaction, current)

    def keep(transaction: Transaction) -> None:
        if not reports.known(transaction, deployment_id, body.id):
            reports.add(transaction, deployment_id, body)
            deployments.reported(transaction, deployment_id, body)

    known, rollout_id = await control.database.read(look)
    if not known:
        if rollout_id is not None:
            await _tell(control, rollout_id, Reported(deployment_id=deployment_id, report=body))
        await control.database.write(keep)
    return Response(status_code=204)


@router.post("/heartbeats", status_code=204)
async def heartbeat(body: Heartbeat, caller: Agent, control: Parts) -> Response:
    """Take a sign of life, at our time."""
    deployment_id = deployment_of(caller)

    def keep(transaction: Transaction) -> tuple[str | None, Seen]:
        deployments.beat(transaction, deployment_id, body)
        seen = Seen(deployment_id=deployment_id, release=body.release, health=body.health, at=transaction.now)
        return _if_running(transaction, desired.row(transaction, deployment_id)["rollout_id"]), seen

    rollout_id, seen = await control.database.write(keep)
    if rollout_id is not None:
        await _tell(control, rollout_id, seen)
    return Response(status_code=204)


def _if_running(transaction: Transaction, rollout_id: str | None) -> str | None:
    """The rollout, if it still listens: one that has ended would be read whole for nothing."""
    return rollout_id if rollout_id is not None and rollouts.is_running(transaction, rollout_id) else None


async def _tell(control: Control, rollout_id: str, event: Event) -> None:
    await asyncio.to_thread(control.rollouts.handle, rollout_id, event)
