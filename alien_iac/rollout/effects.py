"""The only door to DBOS: it does the outbox's effects and keeps the timers, through any crash.

What DBOS adds to the store's own outbox is a durable workflow for each delivery and for each timer: after a kill they
go on by themselves. Both are at least once; the store makes a second time harmless. No workflow waits for an agent or
a person: those come as events. One runner a place at a time, since two would take each other's work.
"""

import itertools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, StepOptions
from pydantic import TypeAdapter

from alien_iac.rollout.events import Notify, Return, SetDesired, StartTimer
from alien_iac.rollout.places import Place
from alien_iac.rollout.service import Rollouts
from alien_iac.rollout.store import Pending, Store

log = logging.getLogger(__name__)

_PROTOCOL = "alien-rollouts-1"
"""DBOS takes up only work of the same version. It grows when the arguments of the workflows below change."""
_EXECUTOR = "alien-rollouts"
"""The same after every start, so that DBOS takes up what a killed runner left."""
_QUEUE = "alien-timers"
_BATCH = 200
_CONNECTIONS = 5
_OVERDUE = timedelta(minutes=1)
_KEEP = timedelta(days=7)
_PENDING: TypeAdapter[tuple[Pending, ...]] = TypeAdapter(tuple[Pending, ...])


def _utc_now() -> datetime:
    return datetime.now(UTC)


def log_notification(rollout_id: str, note: Notify) -> None:
    """Tell people by the log."""
    log.info("rollout %s: %s: %s", rollout_id, note.subject, note.message)


class Runner:
    """Does the effects of all rollouts of a store. Start it once per control plane, outside of an event loop.

    `signal` is set by whoever commits effects in this process; those of other processes are found within
    `poll_seconds`. Where another process has the place it waits for its turn.
    """

    def __init__(  # noqa: PLR0913 - its collaborators, all by keyword
        self,
        *,
        rollouts: Rollouts,
        store: Store,
        place: Place,
        signal: threading.Event,
        notify: Callable[[str, Notify], None] = log_notification,
        poll_seconds: float = 0.5,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._rollouts = rollouts
        self._store = store
        self._place = place
        self._signal = signal
        self._notify = notify
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._clock = clock

    def start(self) -> None:
        """Take the place, take up what was left, and begin; or wait for its turn. Conflict where it is never shared."""
        mine = self._place.take()
        with ExitStack() as undo:
            undo.callback(self._place.release)
            if mine:
                undo.callback(DBOS.destroy, destroy_registry=True)
                self._launch()
            self._thread = threading.Thread(target=self._run, args=(mine,), name="rollout-effects", daemon=True)
            self._thread.start()
            undo.pop_all()

    def stop(self) -> None:
        """End within about a second. What is not done is taken up at the next start."""
        self._stopping.set()
        self._signal.set()
        self._thread.join()

    def _run(self, mine: bool) -> None:  # noqa: FBT001 - a thread's argument
        while True:
            if mine:
                self._pump()
                self._leave()
            if self._stopping.wait(self._poll_seconds):
                self._place.release()
                return
            mine = self._begin()

    def _begin(self) -> bool:
        """Whether it is our turn, and we are ready for it."""
        try:
            if not self._place.take():
                return False
            self._launch()
        except Exception:  # an outermost loop: it is tried again
            log.exception("the effects of rollouts are delayed")
            self._leave()
            return False
        return True

    def _leave(self) -> None:
        DBOS.destroy(destroy_registry=True)
        self._place.release()

    def _launch(self) -> None:
        config = DBOSConfig(
            name="alien-rollouts",
            system_database_url=self._place.url,
            sys_db_pool_size=_CONNECTIONS,
            serializer=DBOSPortableJSONSerializer(),
            application_version=_PROTOCOL,
            executor_id=_EXECUTOR,
            log_level="ERROR",
            notification_listener_polling_interval_sec=self._poll_seconds,
        )
        DBOS(config=config)
        # DBOS marks the functions it is given, and a bound method takes no mark.
        self._deliver = DBOS.workflow(name="deliver")(lambda batch: self._deliver_effects(batch))  # noqa: PLW0108
        DBOS.workflow(name="wake")(lambda rollout_id: self._wake_rollout(rollout_id))  # noqa: PLW0108
        DBOS.launch()
        DBOS.register_queue(_QUEUE, polling_interval_sec=self._poll_seconds)

    # The workflows. Their arguments are stored: plain data, and changed only together with _PROTOCOL.

    def _deliver_effects(self, batch: Sequence[Mapping[str, Any]]) -> None:
        effects = _PENDING.validate_python(batch)
        DBOS.run_step(_step("set-desired"), self._set_desired, effects)
        for each in effects:
            if isinstance(each.effect, Notify):
                DBOS.run_step(_step("notify"), self._notify, each.rollout_id, each.effect)
        DBOS.run_step(_step("done"), self._store.done, [each.id for each in effects])

    def _set_desired(self, effects: Sequence[Pending]) -> None:
        wanted = [(each, each.effect) for each in effects if isinstance(each.effect, SetDesired | Return)]
        if wanted:
            self._store.set_desired(wanted)

    def _wake_rollout(self, rollout_id: str) -> None:
        DBOS.run_step(_step("wake"), self._woken, rollout_id)

    def _woken(self, rollout_id: str) -> None:
        self._rollouts.wake(rollout_id)

    # The pump: from the outbox to the workflows.

    def _pump(self) -> None:
        round_of: Callable[[], None] = self._take_up
        while not self._stopping.is_set() and self._place.kept():
            try:
                round_of()
                round_of = self._round
            except Exception:  # the outermost loop: whatever fails is tried again, for as long as it takes
                log.exception("the effects of rollouts are delayed")
                self._stopping.wait(self._poll_seconds)

    def _take_up(self) -> None:
        """Once after the start: the timers again (they are in DBOS already, unless its file was lost)."""
        for rollout_id in self._store.running():
            wake_at = self._rollouts.load(rollout_id).state.header.wake_at
            if wake_at:
                self._set_timer(rollout_id, wake_at)
        self._forget_old()

    def _round(self) -> None:
        self._signal.clear()
        pending = self._store.pending(_BATCH)
        for each in pending:
            if isinstance(each.effect, StartTimer):
                self._set_timer(each.rollout_id, each.effect.at)
        if pending:
            self._carry(pending)
        else:
            self._wake_overdue()
            self._signal.wait(self._poll_seconds)

    def _carry(self, pending: Sequence[Pending]) -> None:
        """One workflow for the batch. An id that has ended already did not do these effects: the next one is tried."""
        batch = _PENDING.dump_python(tuple(pending), mode="json")
        ids = (f"{pending[0].id}+{len(pending)}/{attempt}" for attempt in itertools.count())
        workflow_id = next(each for each in ids if not _has_ended(each))
        with SetWorkflowID(workflow_id):
            handle = DBOS.start_workflow(self._deliver, batch)
        handle.get_result(polling_interval_sec=0.01)

    def _set_timer(self, rollout_id: str, at: datetime) -> None:
        delay = max(0.0, (at - self._clock()).total_seconds())
        DBOS.enqueue_workflow_with_options(
            {
                "workflow_name": "wake",
                "queue_name": _QUEUE,
                "workflow_id": f"wake/{rollout_id}/{at.isoformat()}",
                "app_version": _PROTOCOL,
                "delay_seconds": delay,
            },
            rollout_id,
        )

    def _wake_overdue(self) -> None:
        """A timer whose workflow failed for good does not stop its rollout for ever."""
        late = self._clock() - _OVERDUE
        for rollout_id in self._store.running():
            wake_at = self._rollouts.load(rollout_id).state.header.wake_at
            if wake_at and wake_at < late:
                self._rollouts.wake(rollout_id)

    def _forget_old(self) -> None:
        """DBOS keeps finished workflows until it is told to forget them."""
        before = (self._clock() - _KEEP).isoformat()
        old = DBOS.list_workflows(completed_before=before, load_input=False, load_output=False)
        if old:
            DBOS.delete_workflows([each.workflow_id for each in old])


def _step(name: str) -> StepOptions:
    return StepOptions(name=name, retries_allowed=True, max_attempts=5, interval_seconds=0.2)


def _has_ended(workflow_id: str) -> bool:
    status = DBOS.get_workflow_status(workflow_id)
    return status is not None and status.status not in {"PENDING", "ENQUEUED"}
