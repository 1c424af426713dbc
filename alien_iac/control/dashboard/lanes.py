"""A rollout as lanes, one a wave: how far each is, in segments that sum up to it. Pure; the template draws."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from alien_iac.control.dashboard.words import Tone
from alien_iac.protocol.api import RolloutAction
from alien_iac.rollout.actions import refusal
from alien_iac.rollout.events import Acted
from alien_iac.rollout.state import FAILURES, GOOD, IN_FLIGHT, Stage, State, Target, TargetState

WIDTH = 1_000
SHOWN = 24
"""Deployments of a lane that are shown by name: those that a person must look at come first."""

Place = Literal["done", "current", "ahead"]
ACTIONS: tuple[str, ...] = get_args(RolloutAction.model_fields["action"].annotation)
OF_ONE = "skip"
"""The action that needs a deployment."""

_GROUPS: Mapping[str, tuple[Tone, tuple[TargetState, ...]]] = {
    "updated": ("good", GOOD),
    "in progress": ("busy", tuple(state for state in IN_FLIGHT if state not in FAILURES)),
    "failed": ("bad", FAILURES),
    "waiting": ("warn", (TargetState.WAITING, TargetState.UNREACHABLE)),
    "left out": ("idle", (TargetState.SKIPPED, TargetState.CANCELLED, TargetState.SUPERSEDED)),
    "to do": ("idle", (TargetState.PENDING,)),
}
_FIRST = ("failed", "in progress", "waiting", "updated", "left out", "to do")


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A part of a lane's bar, `x` and `width` in thousandths."""

    name: str
    tone: Tone
    count: int
    x: int
    width: int


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One wave. `until`: when its bake or its gate ends, while it has one."""

    name: str
    canary: bool
    tolerance: int
    place: Place
    stage: str
    until: datetime | None
    size: int
    segments: tuple[Segment, ...]
    shown: tuple[Target, ...]

    @property
    def updated(self) -> int:
        return sum(each.count for each in self.segments if each.name == "updated")

    @property
    def more(self) -> int:
        return self.size - len(self.shown)


def draw(state: State) -> tuple[Lane, ...]:
    """The lanes, in the order of the waves."""
    return tuple(_lane(state, index) for index in range(len(state.header.waves)))


def _lane(state: State, index: int) -> Lane:
    header, wave = state.header, state.header.waves[index]
    size = state.count(*TargetState, wave=index)
    place = _place(state, index)
    now = place == "current"
    return Lane(
        name=wave.name,
        canary=wave.canary,
        tolerance=wave.tolerance,
        place=place,
        stage=_stage(state) if now else "",
        until=header.stage_due if now else None,
        size=size,
        segments=_segments(state, index, size),
        shown=_shown(state, index),
    )


def _place(state: State, index: int) -> Place:
    header = state.header
    if index < header.wave or (header.outcome is not None and header.outcome.value == "succeeded"):
        return "done"
    return "current" if index == header.wave and header.outcome is None else "ahead"


def _stage(state: State) -> str:
    if state.header.paused:
        return "paused"
    return {Stage.APPROVAL: "waiting for approval", Stage.BAKING: "baking"}.get(state.header.stage, "rolling out")


def _segments(state: State, index: int, size: int) -> tuple[Segment, ...]:
    made: list[Segment] = []
    counted = 0
    for name, (tone, states) in _GROUPS.items():
        count = state.count(*states, wave=index)
        x, end = round(counted / size * WIDTH) if size else 0, round((counted + count) / size * WIDTH) if size else 0
        counted += count
        if count:
            made.append(Segment(name=name, tone=tone, count=count, x=x, width=end - x))
    return tuple(made)


def _shown(state: State, index: int) -> tuple[Target, ...]:
    names: list[str] = []
    for group in _FIRST:
        names += state.ids(*_GROUPS[group][1], wave=index)
        if len(names) >= SHOWN:
            break
    return tuple(state.targets[name] for name in names[:SHOWN])


def offered(state: State, actor: str) -> Sequence[str]:
    """What this person can do to the rollout now."""
    asked = ((name, Acted(action=RolloutAction.model_validate({"action": name}), actor=actor)) for name in ACTIONS)
    return [name for name, event in asked if name != OF_ONE and refusal(state, event) is None]


def skippable(state: State, targets: Iterable[Target], actor: str) -> frozenset[str]:
    """Which of these deployments this person can have left as they are."""
    asked = {each.deployment_id: RolloutAction(action="skip", deployment_id=each.deployment_id) for each in targets}
    return frozenset(key for key, action in asked.items() if refusal(state, Acted(action=action, actor=actor)) is None)


def filtered(state: State, group: str) -> Sequence[Target]:
    """The deployments of a group of states, in the order of the plan; of no such group, all."""
    if group not in _GROUPS:
        return list(state.targets.values())
    states = set(_GROUPS[group][1])
    return [target for target in state.targets.values() if target.state in states]


GROUPS = tuple(_GROUPS)
