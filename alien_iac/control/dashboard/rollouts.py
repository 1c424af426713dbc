"""Rollouts: the list, one as lanes of its waves, and its actions, each confirmed and with a reason."""

import asyncio
from typing import Annotated

from fastapi import Form, Path, Query
from fastapi.responses import Response
from pydantic import Field

from alien_iac.control.dashboard import lanes
from alien_iac.control.dashboard.visitors import Acting, Reading, Steering
from alien_iac.control.routes import rollouts as api
from alien_iac.control.routes.base import Cursor, Routes
from alien_iac.control.tokens import fresh
from alien_iac.errors import Conflict
from alien_iac.protocol.api import RolloutAction
from alien_iac.protocol.wire import Open
from alien_iac.rollout.actions import refusal
from alien_iac.rollout.events import Acted
from alien_iac.rollout.summary import summary, word

router = Routes(prefix="/rollouts")

PAGE = 50
Action = Annotated[str, Path(pattern=f"^({'|'.join(lanes.ACTIONS)})$")]

WORDS = {
    "pause": ("Pause", "Nothing more is started. What is being updated now goes on to its end."),
    "resume": ("Resume", "The rollout goes on where it stopped."),
    "promote": ("Promote", "The bake of the present wave ends now, and the next wave begins."),
    "approve": ("Approve", "The present wave begins."),
    "skip": ("Skip", "This deployment is left as it is."),
    "abort": ("Abort", "Nothing more is started. What was updated stays updated."),
    "retry": ("Retry", "What failed, was unreachable or was cancelled gets another turn."),
    "rollback": ("Roll back", "Every deployment that has this release goes back to what it ran before, at once."),
}
"""Each action's name, and what it will do."""
GRAVE = frozenset({"abort", "rollback"})


@router.get("")
async def ls(seen: Reading, cursor: Cursor = None) -> Response:
    """Rollouts, newest first."""
    found = await api.ls(seen.caller, seen.control, cursor, PAGE)
    return seen.show("rollouts.html", page=found, cursor=cursor)


@router.get("/{rollout_id}")
async def show(
    rollout_id: str,
    seen: Reading,
    only: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """One rollout."""
    stored = await asyncio.to_thread(seen.control.rollouts.load, rollout_id)
    state = stored.state
    targets = lanes.filtered(state, only)
    shown = targets[(page - 1) * PAGE : page * PAGE]
    return seen.show(
        "rollout.html",
        header=state.header,
        state=word(state),
        summary=summary(state),
        lanes=lanes.draw(state),
        actions=lanes.offered(state, seen.caller.actor) if seen.caller.has("admin") else (),
        words=WORDS,
        grave=GRAVE,
        targets=shown,
        skippable=lanes.skippable(state, shown, seen.caller.actor),
        found=len(targets),
        only=only,
        groups=lanes.GROUPS,
        page=page,
        pages=max(1, -(-len(targets) // PAGE)),
    )


@router.get("/{rollout_id}/actions/{action}")
async def confirm(
    rollout_id: str, action: Action, seen: Steering, deployment: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """What the action will do, before it is done."""
    stored = await asyncio.to_thread(seen.control.rollouts.load, rollout_id)
    asked = RolloutAction.model_validate({"action": action, "deployment_id": deployment or None})
    refused = refusal(stored.state, Acted(action=asked, actor=seen.caller.actor))
    if refused:
        raise Conflict(f"this cannot be done now: {refused}", hint="the rollout may have gone on; look at it again")
    title, effect = WORDS[action]
    target = stored.state.targets.get(deployment)
    return seen.show(
        "confirm.html",
        header=stored.state.header,
        summary=summary(stored.state),
        action=action,
        title=title,
        effect=effect,
        grave=action in GRAVE,
        target=target,
        key=fresh("web"),
    )


class Confirmed(Open):
    """What the confirmation sends. `key`: sent again, it is done once."""

    reason: str = Field(default="", max_length=500)
    deployment: str = Field(default="", max_length=64)
    key: str = Field(default="", max_length=100)


@router.post("/{rollout_id}/actions/{action}")
async def act(rollout_id: str, action: Action, seen: Acting, given: Annotated[Confirmed, Form()]) -> Response:
    """Do it."""
    asked = {"action": action, "deployment_id": given.deployment or None, "reason": given.reason.strip()}
    body = RolloutAction.model_validate(asked)
    await api.act(rollout_id, body, seen.caller, seen.control, given.key or None)
    return seen.go(f"/rollouts/{rollout_id}")
