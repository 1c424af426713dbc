"""What an agent's report means for its deployment: a table by phase, and by the state that it can be true in."""

from collections.abc import Callable, Mapping
from datetime import datetime

from alien_iac import errors
from alien_iac.protocol.api import Report
from alien_iac.rollout import moves
from alien_iac.rollout.events import Reported
from alien_iac.rollout.state import State, TargetState

_BEGINNING = (TargetState.STARTING, TargetState.WAITING)
_UNDER_WAY = (*_BEGINNING, TargetState.UPDATING, TargetState.VERIFYING)


def reported(state: State, event: Reported, now: datetime) -> State:
    """The state after a report. One on an earlier attempt, or about a deployment of no interest, changes nothing."""
    target = state.targets.get(event.deployment_id)
    report = event.report
    if target is None or report.revision <= target.floor or report.revision < target.revision:
        return state
    table = _GOING_BACK if target.state is TargetState.RETURNING else _GOING_FORWARD
    allowed, move = table.get(report.phase, ((), _unmoved))
    if target.state not in allowed:
        return state
    seen = state.with_target(event.deployment_id, revision=report.revision)
    return move(seen, event.deployment_id, report, now)


def _unmoved(state: State, _key: str, _report: Report, _now: datetime) -> State:
    return state


def _updating(state: State, key: str, report: Report, now: datetime) -> State:
    due = now + state.header.policy.update_deadline
    return state.with_target(key, state=TargetState.UPDATING, due=due, message=report.reason)


def _applied(state: State, key: str, report: Report, now: datetime) -> State:
    if report.release not in {None, state.header.release}:
        return state
    verify = state.header.policy.verify
    return state.with_target(
        key, state=TargetState.VERIFYING, due=now + verify.deadline, healthy=0, message=report.reason
    )


def _failed(state: State, key: str, report: Report, now: datetime) -> State:
    why = report.reason or report.error_code or "the update failed"
    if report.error_code in retryable_codes() and moves.may_try_again(state, key):
        return moves.try_again(state, key, why, now)
    return moves.fail(state, key, why, now)


def _returned(state: State, key: str, report: Report, _now: datetime) -> State:
    return moves.rest(state, key, TargetState.RETURNED, report.reason or "its agent went back")


def _refused(state: State, key: str, report: Report, now: datetime) -> State:
    """An untrusted release is a failure of ours; the customer's no is their right, and no failure."""
    why = report.reason or "its agent refused the release"
    if report.error_code == errors.Untrusted.code:
        return moves.fail(state, key, why, now)
    return moves.rest(state, key, TargetState.SKIPPED, f"refused: {why}")


def _waiting(state: State, key: str, report: Report, _now: datetime) -> State:
    return state.with_target(key, state=TargetState.WAITING, due=None, message=report.reason)


def _is_back(state: State, key: str, _report: Report, _now: datetime) -> State:
    return state.with_target(key, state=TargetState.RETURNED, due=None)


def _stays_bad(state: State, key: str, report: Report, _now: datetime) -> State:
    why = f"{state.targets[key].message}; and it could not go back: {report.reason or report.phase}"
    return state.with_target(key, state=TargetState.RETURN_FAILED, due=None, message=why)


_Row = tuple[tuple[TargetState, ...], Callable[[State, str, Report, datetime], State]]

_GOING_FORWARD: Mapping[str, _Row] = {
    "accepted": (_BEGINNING, _updating),
    "applying": (_BEGINNING, _updating),
    "verifying": (_BEGINNING, _updating),
    "succeeded": ((*_BEGINNING, TargetState.UPDATING), _applied),
    "unchanged": ((*_BEGINNING, TargetState.UPDATING), _applied),
    "failed": (_UNDER_WAY, _failed),
    "returned": ((*_UNDER_WAY, TargetState.SUCCEEDED), _returned),
    "refused": ((*_BEGINNING, TargetState.UPDATING), _refused),
    "waiting": ((TargetState.STARTING, TargetState.UPDATING), _waiting),
}
_GOING_BACK: Mapping[str, _Row] = {
    "succeeded": ((TargetState.RETURNING,), _is_back),
    "unchanged": ((TargetState.RETURNING,), _is_back),
    "returned": ((TargetState.RETURNING,), _is_back),
    "failed": ((TargetState.RETURNING,), _stays_bad),
    "refused": ((TargetState.RETURNING,), _stays_bad),
}


def retryable_codes() -> frozenset[str]:
    """The codes of the errors that may go away by themselves."""
    classes = (each for each in vars(errors).values() if isinstance(each, type))
    return frozenset(each.code for each in classes if issubclass(each, errors.AlienError) and each.retryable)
