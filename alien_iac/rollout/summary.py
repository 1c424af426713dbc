"""A rollout in words: one state for the whole, and one line that counts."""

from alien_iac.protocol import api
from alien_iac.rollout.state import IN_FLIGHT, Mode, Stage, State, TargetState

FINISHED = frozenset({"succeeded", "halted", "aborted", "returned", "superseded"})
"""The words of `word` that stay."""

_WORDS = (
    ("failed", (TargetState.FAILED, TargetState.RETURN_FAILED)),
    ("returned", (TargetState.RETURNED,)),
    ("in progress", IN_FLIGHT),
    ("waiting", (TargetState.WAITING,)),
    ("unreachable", (TargetState.UNREACHABLE,)),
    ("skipped", (TargetState.SKIPPED,)),
    ("cancelled", (TargetState.CANCELLED,)),
    ("superseded", (TargetState.SUPERSEDED,)),
    ("pending", (TargetState.PENDING,)),
)


def word(state: State) -> str:
    """The rollout's state: how it ended, or what it does or waits for now."""
    header = state.header
    if header.outcome is not None:
        return header.outcome.value
    if header.mode is not Mode.RUNNING:
        return header.mode.value
    if header.paused:
        return "paused"
    return {Stage.APPROVAL: "waiting for approval", Stage.BAKING: "baking"}.get(header.stage, "running")


def summary(state: State) -> str:
    """Such as `2/3 updated, 1 failed`."""
    updated = state.count(TargetState.SUCCEEDED, TargetState.UNCHANGED)
    counts = [f"{number} {name}" for name, states in _WORDS if (number := state.count(*states))]
    line = ", ".join([f"{updated}/{len(state.targets)} updated", *counts])
    return f"{line} ({state.header.message})" if state.header.message else line


def view(state: State, version: int) -> api.Rollout:
    """The rollout as the API gives it."""
    header = state.header
    names = [wave.name for wave in header.waves]
    return api.Rollout(
        id=header.id,
        release=header.release,
        state=word(state),
        wave=names[header.wave] if header.wave < len(names) else None,
        version=version,
        reason=header.reason,
        targets=tuple(
            api.RolloutTarget(
                deployment_id=target.deployment_id,
                customer=target.customer,
                wave=names[target.wave],
                state=target.state.value,
                from_release=target.from_release,
                message=target.message,
            )
            for target in state.targets.values()
        ),
        created_at=header.created_at,
        ended_at=header.ended_at,
    )
