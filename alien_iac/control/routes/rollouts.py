"""Rollouts: begin, follow, steer. What happens is decided by `alien_iac.rollout`."""

import asyncio

from alien_iac.control.collaborators import Control, Parts
from alien_iac.control.routes.base import PAGE, Cursor, Key, Limit, Routes, Wait, request_hash, scoped_key
from alien_iac.control.security import Admin, Reader
from alien_iac.control.store import deployments, idempotency, releases
from alien_iac.control.store import rollouts as store
from alien_iac.control.store.engine import Transaction
from alien_iac.control.tokens import Caller, fresh
from alien_iac.errors import Conflict, NotFound
from alien_iac.protocol.api import Deployment, NewRollout, Page, Release, Rollout, RolloutAction
from alien_iac.rollout import policy
from alien_iac.rollout.plan import Order
from alien_iac.rollout.store import Stored
from alien_iac.rollout.summary import view

router = Routes(tags=["rollouts"], prefix="/rollouts")


@router.post("")
async def begin(body: NewRollout, caller: Admin, control: Parts, key: Key = None) -> Rollout:
    """Roll a release out. The whole plan is stored before the first deployment changes."""
    rules = policy.parse(body.policy, "policy")
    rollout_id = await control.database.write(lambda transaction: _reserve(transaction, body, caller, key))
    known = await _known(control, rollout_id)
    if known is not None:
        return _view(known)

    def look(transaction: Transaction) -> tuple[Release, list[Deployment]]:
        return releases.get(transaction, body.release), list(deployments.every(transaction))

    release, everyone = await control.database.read(look)
    if release.recalled:
        raise Conflict(f'release "{release.version}" was recalled', hint="roll out a newer one")
    order = Order(rollout_id=rollout_id, release=release, policy=rules, selector=body.selector, reason=body.reason)
    return _view(await asyncio.to_thread(control.rollouts.start, order, everyone, caller.actor))


def _reserve(transaction: Transaction, body: NewRollout, caller: Caller, key: str | None) -> str:
    """The id that this request's rollout has, or will have."""
    scoped = scoped_key(caller, "rollouts", key or body.idempotency_key)
    hashed = request_hash(body)
    known = idempotency.recall(transaction, scoped, hashed)
    made = known or fresh("ro")
    if known is None:
        idempotency.remember(transaction, scoped, hashed, made)
    return made


async def _known(control: Control, rollout_id: str) -> Stored | None:
    try:
        return await control.database.read(lambda transaction: store.load(transaction, rollout_id))
    except NotFound:
        return None


@router.get("")
async def ls(caller: Reader, control: Parts, cursor: Cursor = None, limit: Limit = PAGE) -> Page[Rollout]:
    """Rollouts, newest first, without their deployments."""
    del caller
    found, following = await control.database.read(lambda transaction: store.rows(transaction, cursor, limit))
    return Page[Rollout](items=tuple(_view(each) for each in found), next=following)


@router.get("/{rollout_id}")
async def show(rollout_id: str, caller: Reader, control: Parts, wait: Wait = 0, after: int = -1) -> Rollout:
    """One rollout; with `wait`, held until its version is above `after`, or it has ended."""
    del caller

    async def look() -> tuple[Stored, bool, None]:
        found = await asyncio.to_thread(control.rollouts.load, rollout_id)
        return found, found.version > after or found.state.header.outcome is not None, None

    return _view(await control.waiting.until((store.topic(rollout_id),), look, wait, control.clock))


@router.post("/{rollout_id}/actions")
async def act(rollout_id: str, body: RolloutAction, caller: Admin, control: Parts, key: Key = None) -> Rollout:
    """Pause, resume, promote, approve, skip, abort, retry or roll back."""
    scoped, hashed = scoped_key(caller, f"rollouts/{rollout_id}", key), request_hash(body)
    if await control.database.read(lambda transaction: idempotency.recall(transaction, scoped, hashed)):
        return _view(await asyncio.to_thread(control.rollouts.load, rollout_id))
    done = await asyncio.to_thread(control.rollouts.act, rollout_id, body, caller.actor)
    await control.database.write(lambda transaction: idempotency.remember(transaction, scoped, hashed, rollout_id))
    return _view(done)


def _view(stored: Stored) -> Rollout:
    return view(stored.state, stored.version)
