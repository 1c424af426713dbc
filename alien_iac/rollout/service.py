"""The rollouts as the control plane uses them: each event is decided on, and written by compare-and-swap."""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from alien_iac.errors import Conflict, NotFound, Unavailable
from alien_iac.protocol.api import Deployment, RolloutAction
from alien_iac.rollout import timers
from alien_iac.rollout.audit import audit
from alien_iac.rollout.decide import Decision, decide
from alien_iac.rollout.events import Acted, Event, Started, Superseded, TimerDue
from alien_iac.rollout.plan import Order, plan
from alien_iac.rollout.state import State, Target
from alien_iac.rollout.store import Change, Store, Stored, Write

_TRIES = 100
"""Lost races before an event is given up; each lost one means that another process made progress."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Rollouts:
    """Plans rollouts and feeds them events. Any number of threads and processes may do so at once.

    `changed` is called after each commit that has effects, so that a runner in this process need not wait for its poll.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime] = _utc_now,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._known: dict[str, Stored] = {}

    def start(self, order: Order, deployments: Iterable[Deployment], actor: str) -> Stored:
        """Store a new rollout with its first effects. Older ones lose the deployments that it has.

        InvalidInput where the selector matches nothing or too much; Conflict where the id is taken.
        """
        now = self._clock()
        event = Started(actor=actor, reason=order.reason)
        first = decide(plan(order, deployments, now), event, now)
        targets = tuple(first.state.targets.values())
        change = _change(first, targets, event, now)
        taken = Superseded(by=order.rollout_id, deployment_ids=tuple(first.state.targets))
        with self._lock:
            for _ in range(_TRIES):
                losses = [self._decided(key, taken, now) for key in self._store.running() if key != order.rollout_id]
                writes = [_write(stored, loss, taken, now) for stored, loss in losses if loss.state.changed]
                if self._written([*writes, Write(rollout_id=order.rollout_id, expected_version=0, change=change)]):
                    return Stored(state=first.state.settled(), version=1)
                self._refuse_taken(order.rollout_id)
        raise _too_busy(order.rollout_id)

    def handle(self, rollout_id: str, event: Event) -> Stored:
        """Decide on an event and write what it changes.

        NotFound for an unknown rollout; Conflict, with the reason, for a person's action that makes no sense now.
        """
        with self._lock:
            for _ in range(_TRIES):
                now = self._clock()
                stored, decision = self._decided(rollout_id, event, now)
                if decision.refusal:
                    raise Conflict(f"rollout {rollout_id}: {decision.refusal}")
                if not decision.state.changed and decision.state.header == stored.state.header:
                    return stored
                if self._written([_write(stored, decision, event, now)]):
                    return self._remember(Stored(state=decision.state.settled(), version=stored.version + 1))
        raise _too_busy(rollout_id)

    def act(self, rollout_id: str, action: RolloutAction, actor: str) -> Stored:
        """Do what a person asks for. Conflict, with the reason, where it makes no sense now."""
        ended = self.load(rollout_id).state.header.outcome is not None
        newer = self._store.overtaken_by(rollout_id) if ended else None
        if newer:
            raise Conflict(
                f"rollout {rollout_id} has ended, and the newer rollout {newer} has deployments of it",
                hint=f"act on {newer}, or start a new rollout of the release you want",
            )
        return self.handle(rollout_id, Acted(action=action, actor=actor))

    def wake(self, rollout_id: str) -> Stored:
        """The rollout's timer is due: look up the health that it watches, and go on."""
        watched = timers.watched(self.load(rollout_id).state)
        return self.handle(rollout_id, TimerDue(health=tuple(self._store.seen(watched))))

    def load(self, rollout_id: str) -> Stored:
        """The rollout as it is stored now. NotFound for an unknown one."""
        known = self._known.get(rollout_id)
        if known and known.version == self._store.version(rollout_id):
            return known
        return self._remember(self._store.load(rollout_id))

    def _decided(self, rollout_id: str, event: Event, now: datetime) -> tuple[Stored, Decision]:
        stored = self.load(rollout_id)
        return stored, decide(stored.state, event, now)

    def _written(self, writes: Sequence[Write]) -> bool:
        try:
            self._store.commit(writes)
        except Conflict:
            return False
        if any(write.change.effects for write in writes):
            self._changed()
        return True

    def _remember(self, stored: Stored) -> Stored:
        """Keep a running rollout at hand: its next event then reads one number instead of all its targets."""
        key = stored.state.header.id
        if stored.state.header.outcome is None:
            self._known[key] = stored
        else:
            self._known.pop(key, None)
        return stored

    def _refuse_taken(self, rollout_id: str) -> None:
        with suppress(NotFound):  # not taken: another rollout changed in between, and the next try sees that
            self._store.version(rollout_id)
            raise Conflict(f"there is a rollout {rollout_id} already")


def _write(stored: Stored, decision: Decision, event: Event, now: datetime) -> Write:
    state = decision.state
    changed = tuple(state.targets[key] for key in state.changed)
    change = _change(decision, changed, event, now)
    return Write(rollout_id=state.header.id, expected_version=stored.version, change=change)


def _change(decision: Decision, targets: Sequence[Target], event: Event, now: datetime) -> Change:
    state: State = decision.state
    line = audit(event, state, now)
    return Change(header=state.header, targets=tuple(targets), audit=line, effects=decision.effects)


def _too_busy(rollout_id: str) -> Unavailable:
    return Unavailable(f"rollout {rollout_id} changes too fast to be written to", hint="try again")
