"""What other instances on the same Postgres say: whom to wake here. Its thread keeps the clock too."""

import logging
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import psycopg

from alien_iac.control.store.postgres import CHANNEL, DatabaseClock, PostgresStore

log = logging.getLogger(__name__)

LISTEN_S = 0.5
"""How long the end of the thread may take."""
ASK_EVERY = 60
"""Rounds of listening after which the clock is set anew."""
AGAIN_S = 1.0


class Notices:
    """Hears the other instances. `wake` gets topics; `wake_all` is called when some may have been missed."""

    def __init__(
        self,
        store: PostgresStore,
        clock: DatabaseClock,
        wake: Callable[[Iterable[str]], None],
        wake_all: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._wake_all = wake_all
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alien-notices", daemon=True)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen until the end. OperationalError where the database is not there at the beginning."""
        with self._store.connect() as connection:
            self._clock.ask(connection)
        self._thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._store.connect() as connection:
                    self._listen(connection)
            except psycopg.Error:
                log.warning("the database's notifications are interrupted; held requests look again by themselves")
                self._stopping.wait(AGAIN_S * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret

    def _listen(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        self._wake_all()
        rounds = 0
        while not self._stopping.is_set():
            if rounds % ASK_EVERY == 0:
                self._clock.ask(connection)
            rounds += 1
            for notice in connection.notifies(timeout=LISTEN_S):
                instance, *topics = notice.payload.split("\n")
                if instance != self._store.instance:
                    self._wake(topics)
