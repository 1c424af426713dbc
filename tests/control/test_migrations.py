"""The schema grows from every earlier one, with what is in it; and an older instance writes on beside a newer one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, URL, BigInteger, Boolean, Integer, LargeBinary, MetaData, Table, insert, select
from sqlalchemy.engine import Connection

from alien_iac.control.store import migrations
from alien_iac.control.store.engine import Store
from alien_iac.control.store.postgres import DatabaseClock, PostgresStore
from alien_iac.control.store.sqlite import SqliteStore
from alien_iac.control.store.tables import METADATA

OLDER = migrations.revisions()[:-1]


@pytest.fixture(params=["sqlite", "postgres"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database without a schema."""
    made: Store
    if request.param == "sqlite":
        made = SqliteStore(tmp_path / "c.sqlite")
    else:
        made = PostgresStore(request.getfixturevalue("empty_database"))
    yield made
    made.writer.dispose()
    made.reader.dispose()


def _schema(connection: Connection) -> list[Table]:
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name in METADATA.tables]


def _row(table: Table, number: int) -> dict[str, Any]:
    """What code of that schema would write: every column that it knows and must give."""
    keys = {key.parent.name for key in table.foreign_keys}
    columns = [each for each in table.columns if not each.nullable and each.server_default is None]
    return {each.name: str(number) if each.name in keys else _value(each.type, number) for each in columns}


def _value(kind: object, number: int) -> Any:
    match kind:
        case Boolean():
            return False
        case Integer() | BigInteger():
            return number
        case LargeBinary():
            return b"x"
        case JSON():
            return []
    return str(number)


def _fill(connection: Connection, tables: list[Table], number: int) -> None:
    for table in tables:
        connection.execute(insert(table).values(_row(table, number)))


@pytest.mark.parametrize("before", OLDER)
def test_up_from_every_earlier_schema_and_the_old_code_still_writes(bare: Store, before: str) -> None:
    migrations.upgrade(bare.writer, before)
    with bare.writer.begin() as connection:
        old = _schema(connection)
        _fill(connection, old, 1)
    migrations.upgrade(bare.writer)
    with bare.writer.begin() as connection:
        assert migrations.revision(connection) == migrations.revisions()[-1]
        _fill(connection, old, 2)
    with bare.reader.connect() as connection:
        for table in old:
            rows = connection.execute(select(table)).mappings().all()
            assert len(rows) == 2, table.name
            new = connection.execute(select(METADATA.tables[table.name])).mappings().all()
            assert len(new) == 2, table.name


def test_the_clock_is_the_databases(empty_database: URL) -> None:
    clock = DatabaseClock()
    with PostgresStore(empty_database).connect() as connection:
        connection.execute("SET TIME ZONE 'Asia/Tokyo'")
        clock.ask(connection)
    assert abs(clock() - datetime.now(UTC)) < timedelta(seconds=5)
