"""Transactions on the control plane's database, with group commit.

One thread writes. It takes whatever transactions have come, runs each behind a savepoint of its own, and makes them
durable with one commit, so that many small writes share one flush to the disk. A caller hears of its write only after
that commit. Nothing else in the control plane knows which database is below.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, Executable, RowMapping
from sqlalchemy.exc import OperationalError

from alien_iac.control.vault import Vault
from alien_iac.errors import Unavailable

T = TypeVar("T")
Values = Mapping[str, Any]
"""What a statement is run with: columns to write, and its `bindparam`s."""

BATCH = 256
"""Transactions that share one commit, at most."""
READERS = 4


class Store(Protocol):
    """A database as this module uses it: one engine that writes, one that reads from snapshots."""

    writer: Engine
    reader: Engine

    def announce(self, connection: Connection, topics: Collection[str]) -> None:
        """In a transaction: tell other processes on this database whom to wake once it is durable."""


class Clock(Protocol):
    """The server's clock: the only one by which leases, tokens and codes end."""

    def __call__(self) -> datetime:
        """The instant, in UTC."""


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """One transaction as the stores see it: connection, instant, what seals, and whom to wake when it is durable.

    Statements that run for every command are built once, with `values` for what differs: to build one takes longer than
    to run it.
    """

    connection: Connection
    now: datetime
    vault: Vault
    woken: set[str] = field(default_factory=set)

    def run(self, statement: Executable, values: Values | None = None) -> int:
        """Execute; the number of rows that it changed."""
        return self.connection.execute(statement, values).rowcount

    def insert(self, statement: Executable, rows: Sequence[dict[str, Any]]) -> None:
        """Execute once for many rows."""
        if rows:
            self.connection.execute(statement, rows)

    def one(self, statement: Executable, values: Values | None = None) -> RowMapping | None:
        """The first row, if there is one."""
        return self.connection.execute(statement, values).mappings().first()

    def all(self, statement: Executable, values: Values | None = None) -> Sequence[RowMapping]:
        return self.connection.execute(statement, values).mappings().all()

    def scalar(self, statement: Executable, values: Values | None = None) -> Any:
        return self.connection.execute(statement, values).scalar()

    def wake(self, *topics: str) -> None:
        """Wake who waits on these topics, once this transaction is durable."""
        self.woken.update(topics)


@dataclass(frozen=True)
class _Job:
    work: Callable[[Transaction], Any]
    future: "Future[Any]"


class Database:
    """Transactions by functions: `write` and `read` from the event loop, `write_now` and `read_now` from a thread.

    A function given here runs in another thread, may run only statements, and returns plain data.
    """

    def __init__(self, store: Store, clock: Clock, wake: Callable[[Iterable[str]], None], vault: Vault) -> None:
        self._clock = clock
        self._wake = wake
        self._vault = vault
        self._announce = store.announce
        self._writer = store.writer
        self._reader = store.reader
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="alien-read")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self.commits = self.writes = 0
        """So far: the writes divided by the commits is how many share one."""
        self._thread = threading.Thread(target=self._write_all, name="alien-write", daemon=True)
        self._thread.start()

    @property
    def engine(self) -> Engine:
        """The engine that writes, for migrations before anything else runs."""
        return self._writer

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """The result of `work`, once it is durable. What it raises undoes its own writes only."""
        return await asyncio.wrap_future(self._submit(work))

    async def read(self, work: Callable[[Transaction], T]) -> T:
        return await asyncio.wrap_future(self._readers.submit(self.read_now, work))

    def write_now(self, work: Callable[[Transaction], T]) -> T:
        """As `write`, for a thread that may block."""
        return self._submit(work).result()

    def read_now(self, work: Callable[[Transaction], T]) -> T:
        with self._reader.connect() as connection:
            return work(Transaction(connection=connection, now=self._clock(), vault=self._vault))

    def close(self) -> None:
        """End after what was submitted is written."""
        with self._closing:
            self._closed = True
            self._jobs.put(None)
        self._thread.join()
        self._readers.shutdown()
        self._writer.dispose()
        self._reader.dispose()

    def _submit(self, work: Callable[[Transaction], T]) -> "Future[T]":
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise Unavailable("the control plane is shutting down")
            self._jobs.put(_Job(work, future))
        return future

    def _write_all(self) -> None:
        open_ = True
        while open_:
            first = self._jobs.get()
            batch = [first] if first else []
            open_ = first is not None
            with contextlib.suppress(queue.Empty):  # nothing more has come: that is the batch
                while open_ and len(batch) < BATCH:
                    job = self._jobs.get_nowait()
                    open_ = job is not None
                    batch += [job] if job else []
            if batch:
                self._commit(batch)

    def _commit(self, batch: Sequence[_Job]) -> None:
        woken: set[str] = set()
        answers: list[tuple[_Job, Any, BaseException | None]] = []
        try:
            with self._writer.begin() as connection:
                answers += [(job, *self._attempt(job, connection, woken)) for job in batch]
                if woken:
                    self._announce(connection, woken)
        except Exception as error:  # noqa: BLE001 - the writer must outlive any failure; each caller is told of it
            lost = Unavailable(f"the database did not take the write ({type(error).__name__})")
            lost.__cause__ = error
            answers = [(job, None, lost) for job in batch]
            woken.clear()
        self.commits += 1
        self.writes += len(batch)
        for job, result, error_ in answers:
            _tell(job.future, result, error_)
        self._wake(woken)

    def _attempt(self, job: _Job, connection: Connection, woken: set[str]) -> tuple[Any, BaseException | None]:
        transaction = Transaction(connection=connection, now=self._clock(), vault=self._vault)
        connection.exec_driver_sql("SAVEPOINT one")
        try:
            result = job.work(transaction)
        except OperationalError:
            raise  # the database itself failed (full, locked, damaged): nothing of the batch can be promised
        except Exception as error:  # noqa: BLE001 - it is handed to the caller, whole
            connection.exec_driver_sql("ROLLBACK TO one")
            connection.exec_driver_sql("RELEASE one")
            return None, error
        connection.exec_driver_sql("RELEASE one")
        woken |= transaction.woken
        return result, None


def _tell(future: "Future[Any]", result: object, error: BaseException | None) -> None:
    if not future.set_running_or_notify_cancel():
        return  # the caller went away; the write stands
    if error:
        future.set_exception(error)
    else:
        future.set_result(result)
