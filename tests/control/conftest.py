from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from control import control_postgres
from control.control_plane import Agent, Plane, plane_in
from control.control_postgres import Server
from sqlalchemy import URL

from alien_iac.control.store.engine import Store
from alien_iac.control.store.postgres import PostgresStore
from alien_iac.control.store.sqlite import SqliteStore

HERE = Path(__file__).parent
ON_BOTH = ("test_store", "test_waiting", "test_backup", "test_health", "test_audit", "test_enrolment", "test_tokens")
"""Files whose tests run on Postgres each time: what stands on the store itself. The others do among the slow ones."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE and "postgres" in item.nodeid and not item.path.stem.startswith(ON_BOTH):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a process."""
    if control_postgres.programs() is None:
        pytest.skip(control_postgres.NONE)
    with control_postgres.server(tmp_path_factory.mktemp("postgres") / "server") as running:
        yield running


@pytest.fixture
def empty_database(postgres: Server) -> Iterator[URL]:
    """A Postgres without a schema."""
    url = postgres.empty()
    yield url
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """A database with the newest schema, or an empty one on SQLite; called again, it is the same one opened again."""
    if request.param == "sqlite":
        yield lambda: SqliteStore(tmp_path / "control.sqlite")
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.made()
    yield lambda: PostgresStore(url)
    server.drop(url)


@pytest.fixture
async def plane(tmp_path: Path, store: Callable[[], Store]) -> AsyncIterator[Plane]:
    async with plane_in(tmp_path, store=store()) as made:
        yield made


@pytest.fixture
async def agent(plane: Plane) -> Agent:
    return await plane.agent()
