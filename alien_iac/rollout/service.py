"""The rollouts as the control plane uses them: each event is decided on, and written by compare-and-swap."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class _Asked:
    """An event that waits for its decision to be durable."""

    rollout_id: str
    event: Event
    answer: "Future[Stored]" = field(default_factory=Future)

    def tell(self, answer: Stored | Exception) -> None:
        """Let whoever waits go on."""
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


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
        self._asked: deque[_Asked] = deque()

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
        asked = _Asked(rollout_id, event)
        self._asked.append(asked)
        with self._lock:
            if not asked.answer.done():  # else whoever had the lock before took this event along
                self._answer([self._asked.popleft() for _ in range(len(self._asked))])
        return asked.answer.result()

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

    def _answer(self, batch: Sequence[_Asked]) -> None:
        """Give every event of the batch its answer, whatever happens."""
        try:
            answers: Sequence[Stored | Exception] = self._decide_all(batch)
        except Exception as error:  # noqa: BLE001 - it is raised where each event is waited for
            answers = [error] * len(batch)
        for asked, answer in zip(batch, answers, strict=True):
            asked.tell(answer)

    def _decide_all(self, batch: Sequence[_Asked]) -> list[Stored | Exception]:
        """Decide on events as they came and write all of it in one commit: events that wait share its flush."""
        for _ in range(_TRIES):
            ahead: dict[str, Stored] = {}
            steps = [self._step(asked, ahead) for asked in batch]
            writes = [write for _, write in steps if write]
            if not writes or self._written(writes):
                for stored in ahead.values():
                    self._remember(stored)
                return [answer for answer, _ in steps]
        raise _too_busy(batch[0].rollout_id)

    def _step(self, asked: _Asked, ahead: dict[str, Stored]) -> tuple[Stored | Exception, Write | None]:
        """One event's answer, and what it writes. `ahead` has the rollouts as the events before it leave them."""
        now = self._clock()
        try:
            stored = ahead.get(asked.rollout_id) or self.load(asked.rollout_id)
        except NotFound as error:
            return error, None
        decision = decide(stored.state, asked.event, now)
        if decision.refusal:
            return Conflict(f"rollout {asked.rollout_id}: {decision.refusal}"), None
        if not decision.state.changed and decision.state.header == stored.state.header:
            return stored, None
        after = ahead[asked.rollout_id] = Stored(state=decision.state.settled(), version=stored.version + 1)
        return after, _write(stored, decision, asked.event, now)

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
