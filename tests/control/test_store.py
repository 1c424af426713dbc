"""The database: group commit, isolation of failures, durability, the schema."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from control.control_plane import MovedClock
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Integer, func, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError

from alien_iac.control.store import audit, migrations
from alien_iac.control.store.engine import Database, Store, Transaction
from alien_iac.control.store.sqlite import SqliteStore
from alien_iac.control.store.tables import AUDIT, IDEMPOTENCY, METADATA, Instant
from alien_iac.control.vault import Vault
from alien_iac.errors import Conflict, Unavailable, Unsupported


@pytest.fixture
def woken() -> list[set[str]]:
    return []


@pytest.fixture
def database(store: Callable[[], Store], woken: list[set[str]]) -> Iterator[Database]:
    made = Database(store(), MovedClock(), lambda topics: woken.append(set(topics)), Vault.fresh())
    migrations.upgrade(made.engine)
    yield made
    made.close()


def _put(transaction: Transaction, key: str) -> None:
    transaction.run(insert(IDEMPOTENCY).values(key=key, request_hash="", subject="", created_at=transaction.now))


def _count(transaction: Transaction) -> int:
    return int(transaction.scalar(select(func.count()).select_from(IDEMPOTENCY)))


async def test_a_write_is_seen_by_the_next_read(database: Database) -> None:
    await database.write(lambda transaction: _put(transaction, "a"))
    assert await database.read(_count) == 1


async def test_many_writes_share_a_commit(database: Database) -> None:
    gate, sizes = threading.Event(), list[int]()

    def slow(transaction: Transaction) -> None:
        gate.wait(5)
        _put(transaction, "first")

    first = asyncio.create_task(database.write(slow))
    rest = [asyncio.create_task(database.write(lambda transaction, n=n: _put(transaction, f"k{n}"))) for n in range(50)]  # type: ignore[misc] # a default argument
    await asyncio.sleep(0.05)
    before = database.commits
    gate.set()
    await asyncio.gather(first, *rest)
    sizes.append(database.commits - before)
    assert await database.read(_count) == 51
    assert sizes[0] <= 3


async def test_a_failure_undoes_its_own_writes_only(database: Database, woken: list[set[str]]) -> None:
    def bad(transaction: Transaction) -> None:
        _put(transaction, "bad")
        transaction.wake("bad")
        raise Conflict("no")

    def good(transaction: Transaction) -> None:
        _put(transaction, "good")
        transaction.wake("good")

    found = await asyncio.gather(database.write(bad), database.write(good), database.write(bad), return_exceptions=True)
    assert [type(each) for each in found] == [Conflict, type(None), Conflict]
    assert await database.read(_count) == 1
    assert set().union(*woken) == {"good"}


async def test_a_broken_constraint_is_the_callers_own(database: Database) -> None:
    await database.write(lambda transaction: _put(transaction, "a"))
    found = await asyncio.gather(
        database.write(lambda transaction: _put(transaction, "a")),
        database.write(lambda transaction: _put(transaction, "b")),
        return_exceptions=True,
    )
    assert [type(each).__name__ for each in found] == ["IntegrityError", "NoneType"]


def _break(transaction: Transaction) -> None:
    """What the database itself does not survive: a missing table on SQLite, the end of our session on Postgres."""
    postgres = transaction.connection.dialect.name == "postgresql"
    transaction.run(text("SELECT pg_terminate_backend(pg_backend_pid())" if postgres else "SELECT * FROM nowhere"))


async def test_a_database_that_fails_tells_everybody_and_goes_on(database: Database) -> None:
    found = await asyncio.gather(
        database.write(lambda transaction: _put(transaction, "a")),
        database.write(_break),
        return_exceptions=True,
    )
    assert any(isinstance(each, Unavailable) for each in found)
    await database.write(lambda transaction: _put(transaction, "later"))


def test_what_was_submitted_is_written_before_the_end(store: Callable[[], Store]) -> None:
    database = Database(store(), MovedClock(), lambda _topics: None, Vault.fresh())
    migrations.upgrade(database.engine)
    threads = [
        threading.Thread(target=database.write_now, args=(lambda transaction, n=n: _put(transaction, f"{n}"),))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    again = Database(store(), MovedClock(), lambda _topics: None, Vault.fresh())
    assert again.read_now(_count) == 20
    again.close()
    with pytest.raises(Unavailable):
        again.write_now(_count)


def test_the_settings_that_make_a_commit_durable(tmp_path: Path) -> None:
    database = Database(SqliteStore(tmp_path / "c.sqlite"), MovedClock(), lambda _topics: None, Vault.fresh())

    def look(transaction: Transaction) -> tuple[str, int, int]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        found = [transaction.scalar(text(f"PRAGMA {name}")) for name in names]
        return (found[0], found[1], found[2])

    assert database.write_now(look) == ("wal", 2, 1)
    database.close()


def test_the_migrations_make_the_tables(database: Database) -> None:
    migrations.upgrade(database.engine)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": _compare_types})
        assert compare_metadata(context, METADATA) == []


def test_a_database_of_a_newer_version_is_left_alone(database: Database) -> None:
    database.write_now(lambda transaction: transaction.run(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(Unsupported, match="9999"):
        migrations.upgrade(database.engine)


def _compare_types(*args: object) -> bool | None:
    """SQLite shows the outbox's rowid as it was asked for; BigInteger is its type elsewhere."""
    return False if isinstance(args[3], Integer) else None


def test_the_audit_log_cannot_be_changed(database: Database) -> None:
    database.write_now(lambda transaction: audit.append(transaction, "me", "did", "it"))
    for statement in (AUDIT.update().values(actor="you"), AUDIT.delete()):
        with pytest.raises(IntegrityError):
            database.write_now(lambda transaction, statement=statement: transaction.run(statement))  # type: ignore[misc] # a default argument


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001 - made aware below
def test_instants_are_kept_to_the_microsecond(at: datetime) -> None:
    aware = at.replace(tzinfo=UTC)
    kind, dialect = Instant(), sqlite.dialect()
    stored = kind.process_bind_param(aware, dialect)
    assert kind.process_result_value(stored, dialect) == aware
    later = kind.process_bind_param(aware + timedelta(microseconds=1), dialect)
    assert stored is not None
    assert later == stored + 1
