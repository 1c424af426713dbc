"""What the rollouts need of a database, and no more: the control plane implements it on its own tables.

One commit is one transaction: header, changed targets, audit line and effects are written together or not at all.
Effects go through an outbox: they are done at least once, in the order of their `sequence`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from alien_iac.rollout.events import Audit, Effect, Return, Seen, SetDesired
from alien_iac.rollout.state import Header, State, Target


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A rollout as it was read. `version` grows by one with each commit, from 1."""

    state: State
    version: int


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one step of one rollout writes."""

    header: Header
    targets: tuple[Target, ...]
    """Only those that changed; all of them in the first commit, in the order of the plan (which `load` keeps)."""
    audit: Audit
    effects: tuple[Effect, ...]


@dataclass(frozen=True, kw_only=True)
class Write:
    """One rollout's part of a commit. `expected_version` 0 makes the rollout."""

    rollout_id: str
    expected_version: int
    change: Change


@dataclass(frozen=True, kw_only=True)
class Pending:
    """An effect in the outbox. `sequence` grows over all rollouts; `id` is unique and never used again."""

    id: str
    sequence: int
    rollout_id: str
    effect: Effect


class Store(Protocol):
    """Every method is one transaction, and may be called from any thread."""

    def version(self, rollout_id: str) -> int:
        """The rollout's version. NotFound for an unknown one."""

    def load(self, rollout_id: str) -> Stored:
        """The rollout and its version. NotFound for an unknown one."""

    def commit(self, writes: Sequence[Write]) -> None:
        """Compare and swap: all writes in their order, each raising its rollout's version by one, or none of them.

        Conflict where a version is not the expected one. The effects enter the outbox in the order given.
        """

    def running(self) -> Sequence[str]:
        """The ids of the rollouts that have not ended (`header.outcome` is None), oldest first."""

    def overtaken_by(self, rollout_id: str) -> str | None:
        """The newest rollout that was made after this one and has one of its deployments."""

    def pending(self, limit: int) -> Sequence[Pending]:
        """Effects that are not done, by `sequence`, at most `limit`."""

    def done(self, effect_ids: Sequence[str]) -> None:
        """Mark effects as done; again is fine."""

    def set_desired(self, effects: Sequence[tuple[Pending, SetDesired | Return]]) -> None:
        """Write the deployments' desired releases: a new revision each, and the waiting agents are woken.

        An effect whose `sequence` is not above the last one written for its deployment is left out: doing an effect
        again, or late, changes nothing.
        """

    def seen(self, deployment_ids: Iterable[str]) -> Sequence[Seen]:
        """The newest heartbeat of each of these deployments that ever sent one."""
