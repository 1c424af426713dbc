"""The rollout's decisions: `decide(state, event, now)` gives the next state and the effects that lead there.

Pure and total: any event in any state has an answer, an event that comes twice or too late changes nothing, and the
effects are read off the difference between the two states, so none is forgotten or made twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alien_iac.rollout import actions, reports, timers, waves
from alien_iac.rollout.events import Acted, Effect, Event, Notify, Return, SetDesired, Started, StartTimer, Superseded
from alien_iac.rollout.state import IN_FLIGHT, Stage, State, TargetState
from alien_iac.rollout.summary import summary


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What an event leads to. `refusal` says why a person's action was not done; the state is then the old one."""

    state: State
    effects: tuple[Effect, ...] = ()
    refusal: str | None = None


def decide(state: State, event: Event, now: datetime) -> Decision:
    """The answer to one event at the instant `now`."""
    refusal = actions.refusal(state, event) if isinstance(event, Acted) else None
    if refusal:
        return Decision(state=state, refusal=refusal)
    if state.header.outcome is not None and not isinstance(event, Acted):
        return Decision(state=state)
    handled = _HANDLERS[event.kind](state, event, now)
    after = _with_timer(waves.advance(handled, now), now)
    return Decision(state=after, effects=_effects(state, after))


def _started(state: State, _event: Started, _now: datetime) -> State:
    return state.with_header(started=True)


def _superseded(state: State, event: Superseded, _now: datetime) -> State:
    """A newer rollout has these deployments now: this one neither tells them anything more nor waits for them."""
    theirs = (TargetState.PENDING, *IN_FLIGHT, TargetState.SUCCEEDED, TargetState.WAITING, TargetState.UNREACHABLE)
    for key in event.deployment_ids:
        target = state.targets.get(key)
        if target and target.state in theirs:
            state = state.with_target(key, state=TargetState.SUPERSEDED, due=None, message=f"taken over by {event.by}")
    return state


_HANDLERS: Mapping[str, Callable[[State, Any, datetime], State]] = {
    "started": _started,
    "reported": reports.reported,
    "seen": timers.seen,
    "timer": timers.due,
    "acted": actions.act,
    "superseded": _superseded,
}


def _with_timer(state: State, now: datetime) -> State:
    """Ask to be woken at the next instant that matters, unless an earlier timer is set already."""
    header = state.header
    running = header.outcome is None
    instants = [*timers.deadlines(state), *timers.stage_instants(state, now)] if running else []
    if not instants:
        return state.with_header(wake_at=None) if header.wake_at else state
    wanted = max(min(instants), now)
    if header.wake_at is not None and now < header.wake_at <= wanted:
        return state
    return state.with_header(wake_at=wanted)


def _effects(before: State, after: State) -> tuple[Effect, ...]:
    effects: list[Effect] = []
    for key in after.changed:
        old, new = before.targets[key], after.targets[key]
        told = new.state is TargetState.STARTING and old.state is not TargetState.STARTING
        if told or (new.offered and not old.offered):
            effects.append(SetDesired(deployment_id=key, release=after.header.release))
        elif old.offered and not new.offered:
            effects.append(Return(deployment_id=key, release=new.from_release))
    wake_at = after.header.wake_at
    if wake_at is not None and wake_at != before.header.wake_at:
        effects.append(StartTimer(at=wake_at))
    return (*effects, *_news(before, after))


def _news(before: State, after: State) -> tuple[Notify, ...]:
    old, new = before.header, after.header
    if new.outcome is not None and old.outcome is None:
        return (Notify(subject="ended", message=summary(after)),)
    if new.mode is not old.mode:
        return (Notify(subject="halted", message=new.message),)
    if new.stage is Stage.APPROVAL and (new.stage, new.wave) != (old.stage, old.wave):
        return (Notify(subject="approval", message=f"wave {new.waves[new.wave].name!r} waits for an approval"),)
    return ()
