"""The only door to DBOS: it does the outbox's effects and keeps the timers, through any crash.

What DBOS adds to the store's own outbox is a durable workflow for each delivery and for each timer: after a kill they
go on by themselves. Both are at least once; the store makes a second time harmless. No workflow waits for an agent or
a person: those come as events. One runner a folder, held by a lock of the operating system, since two would take each
other's work.
"""

import itertools
import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, StepOptions
from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from alien_iac.errors import Conflict
from alien_iac.rollout.events import Notify, Return, SetDesired, StartTimer
from alien_iac.rollout.service import Rollouts
from alien_iac.rollout.store import Pending, Store

log = logging.getLogger(__name__)

_PROTOCOL = "alien-rollouts-1"
"""DBOS takes up only work of the same version. It grows when the arguments of the workflows below change."""
_EXECUTOR = "alien-rollouts"
"""The same after every start, so that DBOS takes up what a killed runner left."""
_QUEUE = "alien-timers"
_BATCH = 200
_OVERDUE = timedelta(minutes=1)
_KEEP = timedelta(days=7)
_PENDING: TypeAdapter[tuple[Pending, ...]] = TypeAdapter(tuple[Pending, ...])


def log_notification(rollout_id: str, note: Notify) -> None:
    """Tell people by the log."""
    log.info("rollout %s: %s: %s", rollout_id, note.subject, note.message)


class Runner:
    """Does the effects of all rollouts of a store. Start it once per control plane, outside of an event loop.

    `signal` is set by whoever commits effects in this process; those of other processes are found within
    `poll_seconds`. `directory` holds DBOS's file and the lock.
    """

    def __init__(  # noqa: PLR0913 - its collaborators, all by keyword
        self,
        *,
        rollouts: Rollouts,
        store: Store,
        directory: Path,
        signal: threading.Event,
        notify: Callable[[str, Notify], None] = log_notification,
        poll_seconds: float = 0.5,
    ) -> None:
        self._rollouts = rollouts
        self._store = store
        self._directory = directory
        self._signal = signal
        self._notify = notify
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._lock = FileLock(directory / "runner.lock")
        self._thread = threading.Thread(target=self._pump, name="rollout-effects", daemon=True)

    def start(self) -> None:
        """Take the lock, take up what was left, and begin. Conflict where another process has the lock."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise Conflict(
                f"another process runs the rollouts of {self._directory}",
                hint="stop that control plane first, or give this one another folder",
            ) from error
        with ExitStack() as undo:
            undo.callback(self._lock.release)
            undo.callback(DBOS.destroy, destroy_registry=True)
            self._launch()
            self._thread.start()
            undo.pop_all()

    def stop(self) -> None:
        """End within about a second. What is not done is taken up at the next start."""
        self._stopping.set()
        self._signal.set()
        self._thread.join()
        DBOS.destroy(destroy_registry=True)
        self._lock.release()

    def _launch(self) -> None:
        file = self._directory / "dbos.sqlite"
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA journal_mode=WAL")  # it stays with the file; DBOS itself does not ask for it
        config = DBOSConfig(
            name="alien-rollouts",
            system_database_url=f"sqlite:///{file}",
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
        while not self._stopping.is_set():
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
        delay = max(0.0, (at - datetime.now(UTC)).total_seconds())
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
        late = datetime.now(UTC) - _OVERDUE
        for rollout_id in self._store.running():
            wake_at = self._rollouts.load(rollout_id).state.header.wake_at
            if wake_at and wake_at < late:
                self._rollouts.wake(rollout_id)

    def _forget_old(self) -> None:
        """DBOS keeps finished workflows until it is told to forget them."""
        before = (datetime.now(UTC) - _KEEP).isoformat()
        old = DBOS.list_workflows(completed_before=before, load_input=False, load_output=False)
        if old:
            DBOS.delete_workflows([each.workflow_id for each in old])


def _step(name: str) -> StepOptions:
    return StepOptions(name=name, retries_allowed=True, max_attempts=5, interval_seconds=0.2)


def _has_ended(workflow_id: str) -> bool:
    status = DBOS.get_workflow_status(workflow_id)
    return status is not None and status.status not in {"PENDING", "ENQUEUED"}
