"""Backup and restore: everything of one instant comes back, on either database, and nothing in flight goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from control.control_plane import Agent, Plane, plane_in
from sqlalchemy import URL, select

from alien_iac.control import archives, backup
from alien_iac.control.settings import Settings
from alien_iac.control.store.engine import Store
from alien_iac.control.store.postgres import PostgresStore
from alien_iac.control.store.sqlite import SqliteStore
from alien_iac.control.store.tables import METADATA
from alien_iac.errors import Conflict, InvalidInput, NotFound


def _rows(store: Store) -> dict[str, list[dict[str, object]]]:
    with store.reader.connect() as connection:
        return {
            table.name: sorted((dict(row) for row in connection.execute(select(table)).mappings()), key=repr)
            for table in METADATA.sorted_tables
        }


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty database to restore into."""
    if request.param == "sqlite":
        (tmp_path / "new").mkdir()
        return SqliteStore(tmp_path / "new" / "control.sqlite")
    url: URL = request.getfixturevalue("empty_database")
    return PostgresStore(url)


async def _lived(plane: Plane, agent: Agent) -> str:
    """A plane with a release, an answered command, a leased one and one that waits."""
    await plane.vendor_release("1.0", 1)
    await plane.ok("PUT", f"/deployments/{agent.deployment_id}/pin", {"release": "1.0"})
    answered = await agent.sent()
    await agent.answer((await agent.lease())[0])
    await agent.sent()
    await agent.lease()
    await agent.sent()
    return answered


async def test_every_row_and_file_comes_back(
    plane: Plane, agent: Agent, store: Callable[[], Store], target: Store, tmp_path: Path
) -> None:
    await _lived(plane, agent)
    file = tmp_path / "backup.tgz"
    source = store()
    assert backup.write(source, tmp_path, file, plane.clock()) == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0
    new = tmp_path / "new"
    assert backup.read(target, new, file) == plane.clock()
    assert _rows(target) == _rows(source)
    assert {path.name for path in (new / "blobs").glob("*/*")} == {p.name for p in (tmp_path / "blobs").glob("*/*")}
    with pytest.raises(Conflict):
        backup.read(target, tmp_path / "other", file)
    for each in (source, target):
        each.writer.dispose()
        each.reader.dispose()


async def test_after_a_restore_nothing_in_flight_goes_on(
    plane: Plane, agent: Agent, store: Callable[[], Store], target: Store, tmp_path: Path
) -> None:
    answered = await _lived(plane, agent)
    source, file = store(), tmp_path / "backup.tgz"
    backup.write(source, tmp_path, file, plane.clock())
    plane.clock.advance(600)
    await plane.vendor_release("2.0", 2)
    seen = await plane.call("GET", "/tuf/metadata/timestamp.json", token=agent.token)
    revision = (await agent.desired())["revision"]
    backup.read(target, tmp_path / "new", file)
    plane.clock.advance(60)
    async with plane_in(tmp_path / "new", rooted=False, clock=plane.clock, store=target) as restored:
        ended = await restored.control.database.write(
            lambda transaction: backup.settle(transaction, plane.control.keys, plane.clock())
        )
        assert ended == 2
        found = (await restored.ok("GET", "/commands"))["items"]
        assert sorted((each["state"]) for each in found) == ["FAILED", "FAILED", "SUCCEEDED"]
        (good,) = [each for each in found if each["state"] == "SUCCEEDED"]
        assert good["commandId"] == answered
        (bad, _) = [each["commandId"] for each in found if each["state"] == "FAILED"]
        assert (await restored.ok("GET", f"/commands/{bad}"))["response"]["code"] == "RESTORED"
        again = await restored.call("GET", "/tuf/metadata/timestamp.json", token=agent.token)
        assert again.json()["signed"]["version"] > seen.json()["signed"]["version"]
        assert (await restored.ok("GET", "/agent/desired", token=agent.token))["revision"] > revision
        assert (await restored.ok("GET", "/audit/verify"))["whole"]
    source.writer.dispose()
    source.reader.dispose()


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"no tar")
    with pytest.raises(InvalidInput, match="not a whole backup"):
        archives.restore(Settings(data=tmp_path / "new"), file)
    with pytest.raises(NotFound):
        archives.backup(Settings(data=tmp_path / "none"), tmp_path / "y")
