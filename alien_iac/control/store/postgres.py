"""Postgres below: several instances of the control plane on one database, which write one after the other.

Each instance commits whole batches, and holds one lock of the database while it does: writes have one order over all
instances, as they have on SQLite, so that nothing here has to be right twice. Reads go on meanwhile.
"""

import secrets
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.exc import ArgumentError

from alien_iac.errors import InvalidInput

VARIABLE = "ALIEN_DATABASE"
READERS = 4
CHANNEL = "alien_wake"
WRITING = 0x616C69656E01
"""The lock that a batch of writes holds."""
LEADING = 0x616C69656E02
"""The lock of the instance that does the effects of rollouts."""
LOCK_MS = 15_000
"""How long a batch waits for those of other instances before it is given up."""
_PAYLOAD = 7_000
"""Bytes of one notification; Postgres takes 8,000."""
_SERVER = {
    "lock_timeout": LOCK_MS,
    "idle_in_transaction_session_timeout": 30_000,
    "tcp_keepalives_idle": 10,  # an instance whose machine is gone loses its locks soon
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
}
_CLIENT: Mapping[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "application_name": "alien-iac",
    "options": " ".join(f"-c {name}={value}" for name, value in _SERVER.items()),
}
_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"


def address(text: str) -> URL:
    """A `postgresql://` URL, read. InvalidInput for any other; what is wrong in it is not shown, it may be a secret."""
    try:
        found = make_url(text)
    except (ArgumentError, ValueError):  # the error's text has the URL, so it is not chained
        raise InvalidInput("the database's address is not a URL", hint="postgresql://USER@HOST:PORT/NAME") from None
    if found.drivername not in {"postgresql", "postgres"} or not found.database:
        raise InvalidInput(
            f'the database\'s address begins with "{found.drivername}" and '
            f"{'names one' if found.database else 'names none'}",
            hint="postgresql://USER@HOST:PORT/NAME; without an address it is SQLite, in the data folder",
        )
    return found.set(drivername="postgresql")


def from_words(argument: str | None, environment: Mapping[str, str]) -> URL | None:
    """The database that an argument names, or `ALIEN_DATABASE`. InvalidInput for a password in an argument.

    libpq's own ways to a password work too: `PGPASSWORD`, `PGPASSFILE`, `~/.pgpass`, certificates.
    """
    if argument is None:
        found = environment.get(VARIABLE)
        return address(found) if found else None
    url = address(argument)
    if url.password is not None or "password" in url.query:
        raise InvalidInput(
            "the database's address in an argument has a password, which others see in the list of processes",
            hint=f"leave it out and set PGPASSWORD or use ~/.pgpass; or set {VARIABLE} to the whole address",
        )
    return url


class PostgresStore:
    """The engines on one database, and what tells the other instances of news."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.instance = secrets.token_hex(8)
        """Which of the instances this is: it does not hear itself."""
        self.writer = _engine(url, pool=1)
        self.reader = _engine(url, pool=READERS, isolation_level="REPEATABLE READ")
        event.listen(self.writer, "begin", _begin)

    def announce(self, connection: Connection, topics: Collection[str]) -> None:
        """Tell the other instances, once this transaction is durable."""
        for payload in payloads(self.instance, topics):
            connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, payload))

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection of one's own, each statement its own transaction."""
        return psycopg.connect(self.url.render_as_string(hide_password=False), autocommit=True, **_CLIENT)


def payloads(instance: str, topics: Collection[str]) -> Iterator[str]:
    """Notifications that carry these topics: the sender, then a topic a line."""
    part, size = [instance], 0
    for topic in sorted(topics):
        if size + len(topic.encode()) > _PAYLOAD:
            yield "\n".join(part)
            part, size = [instance], 0
        part.append(topic)
        size += len(topic.encode()) + 1
    if len(part) > 1:
        yield "\n".join(part)


class DatabaseClock:
    """The database's clock as this process counts it: the same for all instances, whatever their own clocks say."""

    def __init__(self) -> None:
        self._set = (datetime.now(UTC), time.monotonic())

    def __call__(self) -> datetime:
        """The instant, in UTC."""
        at, since = self._set
        return at + timedelta(seconds=time.monotonic() - since)

    def ask(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        """Set it by the database."""
        before = time.monotonic()
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        if row:
            self._set = (row[0].astimezone(UTC), (before + time.monotonic()) / 2)


class Leading:
    """Which instance does the effects of rollouts: the one with the lock, for as long as its connection lives."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    @property
    def url(self) -> str:
        """Where DBOS keeps its own tables: beside ours, in a schema of their own."""
        return self._store.url.render_as_string(hide_password=False)

    def take(self) -> bool:
        """Whether it is this instance, from now on. OperationalError where the database is not there."""
        self._connection = self._connection or self._store.connect()
        try:
            row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (LEADING,)).fetchone()
        except psycopg.Error:
            self.release()
            raise
        return bool(row and row[0])

    def kept(self) -> bool:
        """Whether it still is."""
        try:
            return self._connection is not None and self._connection.execute("SELECT 1").fetchone() is not None
        except psycopg.Error:
            return False

    def release(self) -> None:
        """Let another have it."""
        if self._connection:
            self._connection.close()
        self._connection = None


def _engine(url: URL, *, pool: int, isolation_level: IsolationLevel = "READ COMMITTED") -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args=dict(_CLIENT),
        isolation_level=isolation_level,
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        connection.execute(_DURABLE)
        connection.commit()

    return engine


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITING})")
