"""How a rollout goes from wave to wave: after each event it advances as far as the facts allow."""

from datetime import datetime

from alien_iac.rollout import moves
from alien_iac.rollout.state import FAILURES, GOOD, IN_FLIGHT, Mode, Outcome, Stage, State, TargetState

_OUTCOMES = {Mode.HALTING: Outcome.HALTED, Mode.ABORTING: Outcome.ABORTED, Mode.RETURNING: Outcome.RETURNED}


def advance(state: State, now: datetime) -> State:
    """The state after everything that needs no further event."""
    before = None
    while state is not before and state.header.started and state.header.outcome is None:
        before = state
        state = _step(state, now)
    return state


def _step(state: State, now: datetime) -> State:
    if state.header.mode is not Mode.RUNNING:
        return _end_if_idle(state, now)
    if exceeded(state):
        return halt(state, _too_many(state), now)
    if state.header.paused:
        return state
    if state.header.stage is Stage.OPENING:
        return _open(state, now)
    if state.header.stage is Stage.UPDATING:
        return _update(state, now)
    return state


def exceeded(state: State) -> bool:
    """Whether more deployments of a wave have failed than it tolerates."""
    if state.header.policy.on_failure == "continue":
        return False
    begun = range(min(state.header.wave + 1, len(state.header.waves)))
    return any(state.count(*FAILURES, wave=index) > state.header.waves[index].tolerance for index in begun)


def _too_many(state: State) -> str:
    failed = state.ids(*FAILURES)
    first = state.targets[failed[0]]
    return f"{len(failed)} failed, {first.customer} first: {first.message}"


def halt(state: State, why: str, now: datetime) -> State:
    """Start nothing more; let what is in flight end; take back what the policy says."""
    state = stop(state, Mode.HALTING, why, now)
    if state.header.policy.on_failure == "return-wave":
        updated = (TargetState.SUCCEEDED, TargetState.VERIFYING, TargetState.UPDATING)
        for key in state.ids(*updated, wave=state.header.wave):
            state = moves.take_back(state, key, "taken back with its wave", now)
    return state


def stop(state: State, mode: Mode, why: str, now: datetime) -> State:
    """Whatever has not begun is cancelled, and the release is withdrawn where it was only offered."""
    idle = (TargetState.PENDING, TargetState.STARTING, TargetState.WAITING)
    for key in state.ids(*idle):
        state = moves.rest(state, key, TargetState.CANCELLED, state.targets[key].message)
    for key in state.ids(TargetState.RETRYING):
        state = moves.fail(state, key, state.targets[key].message, now)
    return state.with_header(mode=mode, message=why, stage_due=None, paused=False)


def _end_if_idle(state: State, now: datetime) -> State:
    if state.count(*IN_FLIGHT):
        return state
    return _end(state, _OUTCOMES[state.header.mode], state.header.message, now)


def _end(state: State, outcome: Outcome, message: str, now: datetime) -> State:
    return state.with_header(outcome=outcome, ended_at=now, message=message, stage_due=None)


def _open(state: State, now: datetime) -> State:
    header = state.header
    if header.wave >= len(header.waves):
        return _finish(state, now)
    if not state.count(TargetState.PENDING, *IN_FLIGHT, wave=header.wave):
        return next_wave(state)
    approval = header.policy.waves[header.wave].approval
    if approval:
        return state.with_header(stage=Stage.APPROVAL, stage_due=now + approval.expires)
    return state.with_header(stage=Stage.UPDATING)


def _update(state: State, now: datetime) -> State:
    wave = state.header.wave
    turn = state.first(TargetState.PENDING, wave=wave, limit=max(0, _room(state)))
    for key in turn:
        state = moves.start(state, key, now)
    if turn:
        return state
    if state.count(TargetState.PENDING, wave=wave) or state.count(*IN_FLIGHT, wave=wave):
        return state
    return _close(state, now)


def _room(state: State) -> int:
    header = state.header
    limit = header.max_concurrent
    if header.policy.concurrency_mode == "strict":
        wave = header.waves[header.wave]
        limit = min(limit, max(1, wave.tolerance - state.count(*FAILURES, wave=header.wave) + 1))
    return limit - state.count(*IN_FLIGHT)


def _close(state: State, now: datetime) -> State:
    """The wave has nothing left to do: bake it, or find another canary, or go on."""
    header = state.header
    bake = header.policy.waves[header.wave].bake
    if header.waves[header.wave].canary and not state.count(*GOOD, wave=header.wave):
        return _another_canary(state)
    if bake and state.count(TargetState.SUCCEEDED, wave=header.wave):
        return state.with_header(stage=Stage.BAKING, stage_due=now + bake)
    return next_wave(state)


def _another_canary(state: State) -> State:
    """No canary has shown anything (they wait, or cannot be reached): the next deployment takes its place."""
    later = state.ids(TargetState.PENDING)
    if not later:
        return next_wave(state)
    return state.with_target(later[0], wave=state.header.wave)


def next_wave(state: State) -> State:
    """Leave the current wave."""
    return state.with_header(wave=state.header.wave + 1, stage=Stage.OPENING, stage_due=None)


def _finish(state: State, now: datetime) -> State:
    """All waves are through. Who could not be reached picks the release up on its return, if it has proved itself."""
    if state.count(*IN_FLIGHT):
        return state
    if state.count(TargetState.SUPERSEDED):
        return _end(state, Outcome.SUPERSEDED, state.header.message, now)
    if not state.count(*GOOD):
        return _end(state, Outcome.HALTED, "no deployment took the release", now)
    for key in state.ids(TargetState.UNREACHABLE):
        state = state.with_target(key, offered=True)
    return _end(state, Outcome.SUCCEEDED, "", now)
