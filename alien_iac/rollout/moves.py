"""What can happen to one deployment of a rollout. A move takes a state and gives the next; none looks at the waves."""

from datetime import datetime

from alien_iac.rollout.state import Mode, State, TargetState

_TAKES_BACK = ("return-deployment", "return-wave")


def start(state: State, deployment_id: str, now: datetime) -> State:
    """Tell the deployment to run the release."""
    target = state.targets[deployment_id]
    return state.with_target(
        deployment_id,
        state=TargetState.STARTING,
        offered=True,
        attempt=target.attempt + 1,
        due=now + state.header.policy.reach_within,
        floor=target.revision,
        healthy=0,
        message="",
    )


def fail(state: State, deployment_id: str, why: str, now: datetime) -> State:
    """The update failed; the policy says whether the deployment is taken back."""
    if state.header.policy.on_failure in _TAKES_BACK:
        return take_back(state, deployment_id, why, now)
    return state.with_target(deployment_id, state=TargetState.FAILED, due=None, message=why)


def take_back(state: State, deployment_id: str, why: str, now: datetime) -> State:
    """Tell the deployment to run its previous release."""
    target = state.targets[deployment_id]
    return state.with_target(
        deployment_id,
        state=TargetState.RETURNING,
        offered=False,
        due=now + state.header.policy.update_deadline,
        floor=target.revision,
        message=why,
    )


def rest(state: State, deployment_id: str, word: TargetState, why: str) -> State:
    """Leave the deployment where it is, and withdraw the release from it if it was offered."""
    floor = state.targets[deployment_id].revision
    return state.with_target(deployment_id, state=word, offered=False, due=None, floor=floor, message=why)


def try_again(state: State, deployment_id: str, why: str, now: datetime) -> State:
    """Wait, longer each time, before the next attempt."""
    attempt = state.targets[deployment_id].attempt
    pause = state.header.policy.retry_pause * 2 ** (attempt - 1)
    return state.with_target(deployment_id, state=TargetState.RETRYING, due=now + pause, message=why)


def may_try_again(state: State, deployment_id: str) -> bool:
    """Whether the rollout still starts updates, and the policy allows this deployment one more attempt."""
    header = state.header
    return header.mode is Mode.RUNNING and state.targets[deployment_id].attempt <= header.policy.retries
