"""What a person can do to a rollout, and when it makes no sense."""

from collections.abc import Callable, Mapping
from datetime import datetime

from alien_iac.rollout import moves, waves
from alien_iac.rollout.events import Acted
from alien_iac.rollout.state import GOOD, IN_FLIGHT, Mode, Stage, State, TargetState

_SKIPPABLE = (
    TargetState.PENDING,
    TargetState.STARTING,
    TargetState.RETRYING,
    TargetState.WAITING,
    TargetState.UNREACHABLE,
)
_RETRYABLE = (
    TargetState.FAILED,
    TargetState.RETURNED,
    TargetState.RETURN_FAILED,
    TargetState.UNREACHABLE,
    TargetState.CANCELLED,
)
_AFTER_THE_END = ("retry", "rollback")


def refusal(state: State, event: Acted) -> str | None:
    """Why the action cannot be done now; None where it can."""
    name = event.action.action
    if state.header.outcome is not None and name not in _AFTER_THE_END:
        return f"the rollout has ended ({state.header.outcome}); it takes only {' and '.join(_AFTER_THE_END)}"
    return _REFUSALS[name](state, event)


def act(state: State, event: Acted, now: datetime) -> State:
    """The state after an action that was not refused."""
    return _ACTIONS[event.action.action](state, event, now)


def _said(event: Acted) -> str:
    reason = event.action.reason
    return f"{event.action.action} by {event.actor}" + (f": {reason}" if reason else "")


def _refuse_pause(state: State, _event: Acted) -> str | None:
    if state.header.mode is not Mode.RUNNING:
        return f"the rollout is {state.header.mode} and starts nothing more"
    return "the rollout is paused already" if state.header.paused else None


def _refuse_resume(state: State, _event: Acted) -> str | None:
    return None if state.header.paused else "the rollout is not paused"


def _refuse_promote(state: State, _event: Acted) -> str | None:
    if state.header.stage is not Stage.BAKING or state.header.mode is not Mode.RUNNING:
        return "no wave is baking"
    return None


def _refuse_approve(state: State, event: Acted) -> str | None:
    header = state.header
    if header.stage is not Stage.APPROVAL or header.mode is not Mode.RUNNING:
        return "no wave waits for an approval"
    approval = header.policy.waves[header.wave].approval
    if approval and approval.by and event.actor not in approval.by:
        return f"{event.actor} may not approve this wave; {', '.join(approval.by)} may"
    return None


def _refuse_skip(state: State, event: Acted) -> str | None:
    key = event.action.deployment_id
    target = state.targets.get(key) if key else None
    if target is None:
        return f"name a deployment of the rollout to skip; {key!r} is none" if key else "name the deployment to skip"
    if target.state not in _SKIPPABLE:
        return f"{target.customer} is {target.state}; only what has not begun can be skipped"
    return None


def _refuse_abort(state: State, _event: Acted) -> str | None:
    return "the rollout is aborting already" if state.header.mode is Mode.ABORTING else None


def _refuse_retry(state: State, event: Acted) -> str | None:
    if state.header.outcome is None and state.header.mode is not Mode.RUNNING:
        return f"the rollout is {state.header.mode}; retry when it has ended"
    return None if _to_retry(state, event) else "there is nothing to try again"


def _refuse_rollback(state: State, _event: Acted) -> str | None:
    if state.header.mode is Mode.RETURNING:
        return "the rollout is being taken back already"
    return None if _to_take_back(state) else "no deployment has the rollout's release"


_REFUSALS: Mapping[str, Callable[[State, Acted], str | None]] = {
    "pause": _refuse_pause,
    "resume": _refuse_resume,
    "promote": _refuse_promote,
    "approve": _refuse_approve,
    "skip": _refuse_skip,
    "abort": _refuse_abort,
    "retry": _refuse_retry,
    "rollback": _refuse_rollback,
}


def _pause(state: State, event: Acted, _now: datetime) -> State:
    return state.with_header(paused=True, message=_said(event))


def _resume(state: State, _event: Acted, _now: datetime) -> State:
    return state.with_header(paused=False, message="")


def _promote(state: State, _event: Acted, _now: datetime) -> State:
    return waves.next_wave(state)


def _approve(state: State, _event: Acted, _now: datetime) -> State:
    return state.with_header(stage=Stage.UPDATING, stage_due=None)


def _skip(state: State, event: Acted, _now: datetime) -> State:
    return moves.rest(state, event.action.deployment_id or "", TargetState.SKIPPED, _said(event))


def _abort(state: State, event: Acted, now: datetime) -> State:
    return waves.stop(state, Mode.ABORTING, _said(event), now)


def _to_retry(state: State, event: Acted) -> tuple[str, ...]:
    ids = state.ids(*_RETRYABLE)
    return tuple(key for key in ids if event.action.deployment_id in {None, key})


def _retry(state: State, event: Acted, _now: datetime) -> State:
    """Failed, unreachable and cancelled deployments get another turn; the rollout goes on from their first wave."""
    keys = _to_retry(state, event)
    for key in keys:
        state = state.with_target(key, state=TargetState.PENDING, due=None, attempt=0, message="")
    header = state.header
    wave = min([header.wave, *(state.targets[key].wave for key in keys)])
    open_already = wave == header.wave and header.stage is Stage.UPDATING and header.outcome is None
    if open_already:
        return state
    return state.with_header(
        mode=Mode.RUNNING, outcome=None, ended_at=None, message="", wave=wave, stage=Stage.OPENING, stage_due=None
    )


def _to_take_back(state: State) -> tuple[str, ...]:
    ids = state.ids(*IN_FLIGHT, *GOOD, TargetState.FAILED, TargetState.WAITING, TargetState.UNREACHABLE)
    return tuple(key for key in ids if state.targets[key].offered)


def _rollback(state: State, event: Acted, now: datetime) -> State:
    """Everything goes back at once: no wave, no bake."""
    taken = _to_take_back(state)
    state = waves.stop(state, Mode.RETURNING, _said(event), now)
    for key in taken:
        if state.targets[key].offered:
            state = _back(state, key, now)
    return state.with_header(outcome=None, ended_at=None)


def _back(state: State, key: str, now: datetime) -> State:
    if state.targets[key].state is TargetState.UNREACHABLE:
        return moves.rest(state, key, TargetState.UNREACHABLE, "withdrawn")
    return moves.take_back(state, key, "taken back with the rollout", now)


_ACTIONS: Mapping[str, Callable[[State, Acted, datetime], State]] = {
    "pause": _pause,
    "resume": _resume,
    "promote": _promote,
    "approve": _approve,
    "skip": _skip,
    "abort": _abort,
    "retry": _retry,
    "rollback": _rollback,
}
