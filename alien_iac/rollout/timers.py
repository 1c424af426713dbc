"""What time and heartbeats do to a rollout: deadlines that pass, health that is shown, a bake that ends."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from alien_iac.rollout import health, moves, waves
from alien_iac.rollout.events import Seen, TimerDue
from alien_iac.rollout.state import IN_FLIGHT, Mode, Stage, State, TargetState


def watched(state: State) -> tuple[str, ...]:
    """The deployments whose health the rollout wants to know when its timer is due."""
    baking = state.header.stage is Stage.BAKING and state.header.outcome is None
    wave = state.ids(TargetState.SUCCEEDED, wave=state.header.wave) if baking else ()
    return (*wave, *state.ids(TargetState.VERIFYING, TargetState.UNREACHABLE))


def deadlines(state: State) -> Iterable[datetime]:
    """When each deployment in flight has had its time."""
    for key in state.ids(*IN_FLIGHT):
        target = state.targets[key]
        if target.due and not (target.state is TargetState.RETRYING and state.header.paused):
            yield target.due


def stage_instants(state: State, now: datetime) -> Iterable[datetime]:
    """When the bake or the gate ends, and when health is next looked at: in a bake, or for who cannot be reached."""
    header = state.header
    if header.paused or header.mode is not Mode.RUNNING:
        return
    if header.stage_due is not None:
        yield header.stage_due
    if header.stage is Stage.BAKING or state.count(TargetState.UNREACHABLE):
        yield now + header.policy.verify.every


def seen(state: State, event: Seen, now: datetime) -> State:
    """A heartbeat. One that was counted, or is older than the last, changes nothing."""
    target = state.targets.get(event.deployment_id)
    if target is None or (target.seen is not None and event.at <= target.seen):
        return state
    move = _HEARD.get(target.state)
    return move(state, event, now) if move else state


def _rejoin(state: State, event: Seen, now: datetime) -> State:
    """It can be reached again: its turn comes in the present wave, or later."""
    header, key = state.header, event.deployment_id
    fresh = now - event.at <= header.policy.reach_within
    if not fresh or not moves.may_try_again(state, key):
        return state
    wave = min(max(header.wave, state.targets[key].wave), len(header.waves) - 1)
    state = state.with_target(key, state=TargetState.PENDING, wave=wave, seen=event.at, message="")
    if wave < header.wave or (wave == header.wave and header.stage is Stage.BAKING):
        return state.with_header(wave=wave, stage=Stage.UPDATING, stage_due=None)
    return state


def _verify(state: State, event: Seen, now: datetime) -> State:
    verify = state.header.policy.verify
    key = event.deployment_id
    row = health.tally(state.targets[key].healthy, health.says(event, state.header.release, verify.fresh, now))
    if row >= verify.successes:
        return state.with_target(key, state=TargetState.SUCCEEDED, due=None, healthy=row, seen=event.at, message="")
    return state.with_target(key, healthy=row, seen=event.at)


def _bake(state: State, event: Seen, now: datetime) -> State:
    """While its wave bakes, a deployment that stays unhealthy has failed after all. Only changes are written down."""
    key = event.deployment_id
    target = state.targets[key]
    if state.header.stage is not Stage.BAKING or target.wave != state.header.wave:
        return state
    verify = state.header.policy.verify
    other = event.release != state.header.release and now - event.at <= verify.fresh
    word = "unhealthy" if other else health.says(event, state.header.release, verify.fresh, now)
    row = health.tally(target.healthy, word)
    if row <= -verify.failures:
        return moves.fail(state, key, "became unhealthy while its wave baked", now)
    if row > 0 and target.healthy > 0:
        return state
    return state.with_target(key, healthy=row, seen=event.at)


_HEARD: Mapping[TargetState, Callable[[State, Seen, datetime], State]] = {
    TargetState.UNREACHABLE: _rejoin,
    TargetState.VERIFYING: _verify,
    TargetState.SUCCEEDED: _bake,
}


def due(state: State, event: TimerDue, now: datetime) -> State:
    """The instant has come: first the health that was looked up, then the deadlines, then the wave's own."""
    for sign in event.health:
        state = seen(state, sign, now)
    for key in state.ids(*IN_FLIGHT):
        target = state.targets[key]
        if target.due and target.due <= now:
            state = _EXPIRED[target.state](state, key, now)
    header = state.header
    if header.stage_due is None or header.stage_due > now or header.paused:
        return state
    if header.stage is Stage.APPROVAL:
        return waves.halt(state, "nobody approved in time", now)
    return _end_bake(state, event, now)


def _end_bake(state: State, event: TimerDue, now: datetime) -> State:
    """The bake is over: whoever does not show now that it is healthy has failed. No signal is never healthy."""
    fresh, release = state.header.policy.verify.fresh, state.header.release
    good = {sign.deployment_id for sign in event.health if health.says(sign, release, fresh, now) == "healthy"}
    for key in state.ids(TargetState.SUCCEEDED, wave=state.header.wave):
        if key not in good:
            state = moves.fail(state, key, "did not show that it is healthy at the end of the bake", now)
    return state if waves.exceeded(state) else waves.next_wave(state)


def _no_answer(state: State, key: str, _now: datetime) -> State:
    return moves.rest(state, key, TargetState.UNREACHABLE, "its agent did not take up the release")


def _too_slow(state: State, key: str, now: datetime) -> State:
    limit = state.header.policy.update_deadline
    return moves.fail(state, key, f"the update took longer than {limit}", now)


def _not_healthy(state: State, key: str, now: datetime) -> State:
    limit = state.header.policy.verify.deadline
    return moves.fail(state, key, f"did not show that it is healthy within {limit}", now)


def _next_try(state: State, key: str, now: datetime) -> State:
    return state if state.header.paused else moves.start(state, key, now)


def _no_way_back(state: State, key: str, _now: datetime) -> State:
    why = f"{state.targets[key].message}; and it did not say that it went back"
    return state.with_target(key, state=TargetState.RETURN_FAILED, due=None, message=why)


_EXPIRED: Mapping[TargetState, Callable[[State, str, datetime], State]] = {
    TargetState.STARTING: _no_answer,
    TargetState.UPDATING: _too_slow,
    TargetState.VERIFYING: _not_healthy,
    TargetState.RETRYING: _next_try,
    TargetState.RETURNING: _no_way_back,
}
