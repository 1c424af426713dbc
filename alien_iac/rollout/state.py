"""The whole memory of a rollout: its header, and one small record a deployment, stored apart so that writes stay small.

`State` is immutable. `groups` and `changed` are derived: who is in which state of which wave, and which records differ
from those that are stored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from types import MappingProxyType
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

from alien_iac.rollout.policy import Policy


class TargetState(StrEnum):
    """How far one deployment of a rollout is."""

    PENDING = "pending"
    STARTING = "starting"  # told; its agent has not taken it up yet
    UPDATING = "updating"
    RETRYING = "retrying"  # failed for a reason that may go away; tried again at `due`
    VERIFYING = "verifying"  # its agent is done; the heartbeats must say that it is healthy
    RETURNING = "returning"
    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"  # had the release already
    FAILED = "failed"
    RETURNED = "returned"  # failed or taken back, and its previous release runs
    RETURN_FAILED = "return-failed"
    WAITING = "waiting"  # for the customer: approval, permissions or a window
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"  # the rollout ended before its turn
    SUPERSEDED = "superseded"


IN_FLIGHT = (
    TargetState.STARTING,
    TargetState.UPDATING,
    TargetState.RETRYING,
    TargetState.VERIFYING,
    TargetState.RETURNING,
)
FAILURES = (TargetState.FAILED, TargetState.RETURNING, TargetState.RETURNED, TargetState.RETURN_FAILED)
GOOD = (TargetState.SUCCEEDED, TargetState.UNCHANGED)


class Stage(StrEnum):
    """What the current wave is at."""

    OPENING = "opening"
    APPROVAL = "approval"
    UPDATING = "updating"
    BAKING = "baking"


class Mode(StrEnum):
    """What the rollout as a whole is doing."""

    RUNNING = "running"
    HALTING = "halting"  # lets what is in flight end, then is halted
    ABORTING = "aborting"
    RETURNING = "returning"


class Outcome(StrEnum):
    """How a rollout ended."""

    SUCCEEDED = "succeeded"
    HALTED = "halted"
    ABORTED = "aborted"
    RETURNED = "returned"
    SUPERSEDED = "superseded"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Target(_Frozen):
    """One deployment of the rollout."""

    deployment_id: str
    customer: str
    wave: int
    """Index of its wave."""
    state: TargetState
    from_release: str | None = None
    """What it ran when the rollout was planned, and returns to."""
    message: str = ""
    offered: bool = False
    """Whether its desired release is the one of this rollout."""
    attempt: int = 0
    """How often it was told."""
    due: AwareDatetime | None = None
    """When its present state has lasted too long, or (retrying) ends."""
    healthy: int = 0
    """Heartbeats in a row: healthy ones above zero, unhealthy ones below."""
    revision: int = 0
    """The highest desired revision that its agent reported on."""
    floor: int = 0
    """Reports on this revision and those below are about an earlier attempt."""
    seen: AwareDatetime | None = None
    """The last heartbeat that was counted; an older one, or the same again, is not."""


class WavePlan(_Frozen):
    """A wave's numbers, frozen when the rollout was planned."""

    name: str
    size: int
    tolerance: int
    canary: bool


class Header(_Frozen):
    """A rollout without its deployments."""

    id: str
    release: str
    policy: Policy
    waves: tuple[WavePlan, ...]
    max_concurrent: int
    created_at: AwareDatetime
    reason: str = ""
    started: bool = False
    wave: int = 0
    stage: Stage = Stage.OPENING
    stage_due: AwareDatetime | None = None
    """When the bake or the approval gate ends."""
    mode: Mode = Mode.RUNNING
    paused: bool = False
    outcome: Outcome | None = None
    ended_at: AwareDatetime | None = None
    message: str = ""
    """Why it halted, or who stopped it."""
    wake_at: AwareDatetime | None = None
    """The timer that is set."""


Groups = Mapping[tuple[int, TargetState], Mapping[str, None]]


@dataclass(frozen=True, kw_only=True)
class State:
    """A rollout: the header, and the targets by deployment id in the order of the plan."""

    header: Header
    targets: Mapping[str, Target]
    groups: Groups = field(compare=False, repr=False)
    changed: Mapping[str, None] = field(compare=False, repr=False, default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, header: Header, targets: Iterable[Target]) -> Self:
        """A state as it is stored."""
        by_id = {target.deployment_id: target for target in targets}
        groups: dict[tuple[int, TargetState], dict[str, None]] = {}
        for target in by_id.values():
            groups.setdefault((target.wave, target.state), {})[target.deployment_id] = None
        return cls(header=header, targets=by_id, groups=groups)

    def to_json(self) -> dict[str, Any]:
        """The state as JSON-ready data."""
        return {
            "header": self.header.model_dump(mode="json"),
            "targets": [target.model_dump(mode="json") for target in self.targets.values()],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The state that `to_json` gave."""
        return cls.of(Header.model_validate(data["header"]), map(Target.model_validate, data["targets"]))

    def with_header(self, **changes: Any) -> Self:
        return replace(self, header=self.header.model_copy(update=changes))

    def with_target(self, deployment_id: str, **changes: Any) -> Self:
        """The state with one target changed."""
        old = self.targets[deployment_id]
        new = old.model_copy(update=changes)
        if new == old:
            return self
        groups = dict(self.groups)
        leave, enter = (old.wave, old.state), (new.wave, new.state)
        if leave != enter:
            leaving = dict(groups[leave])
            del leaving[deployment_id]
            groups[leave] = leaving
            groups[enter] = {**groups.get(enter, {}), deployment_id: None}
        return replace(
            self,
            targets={**self.targets, deployment_id: new},
            groups=groups,
            changed={**self.changed, deployment_id: None},
        )

    def settled(self) -> Self:
        """The same state, now that its changes are stored."""
        return replace(self, changed={})

    def ids(self, *states: TargetState, wave: int | None = None) -> tuple[str, ...]:
        """The deployments in these states, of one wave or of all."""
        waves = range(len(self.header.waves)) if wave is None else (wave,)
        return tuple(key for index in waves for state in states for key in self.groups.get((index, state), ()))

    def first(self, word: TargetState, *, wave: int, limit: int) -> tuple[str, ...]:
        """The first `limit` deployments of a wave that are in this state."""
        return tuple(islice(self.groups.get((wave, word), ()), limit))

    def count(self, *states: TargetState, wave: int | None = None) -> int:
        """How many deployments are in these states, of one wave or of all."""
        waves = range(len(self.header.waves)) if wave is None else (wave,)
        return sum(len(self.groups.get((index, state), ())) for index in waves for state in states)
