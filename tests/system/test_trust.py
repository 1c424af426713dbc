"""What was not signed, or is not the newest, is refused: one clear message, and the current release stays."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # exported, but not by its __all__
from system.system_fleet import Fleet
from tuf.api.metadata import Metadata, Timestamp

from alien_iac.agent.place import Place
from alien_iac.control.folder import DataFolder
from alien_iac.protocol.api import NewRollout, Release, Rollout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

POLICY = {"waves": [{"name": "canary", "size": 1, "canary": True}, {"name": "rest"}], "reach_within": "30s"}
NEWEST = "SELECT body FROM tuf_metadata WHERE role = 'timestamp' ORDER BY version DESC LIMIT 1"
FORGE = "UPDATE tuf_metadata SET body = ? WHERE role = 'timestamp'"
"""The control plane keeps only the newest of them."""
Forge = Callable[[Metadata[Timestamp], CryptoSigner], None]


class Database:
    """The control plane's database in the hands of somebody who has taken the machine over."""

    def __init__(self, fleet: Fleet) -> None:
        self._folder = DataFolder(fleet.world.folder / "control")

    @property
    def timestamp(self) -> bytes:
        """The metadata that is served."""
        with closing(sqlite3.connect(self._folder.database)) as database:
            return bytes(database.execute(NEWEST).fetchone()[0])

    @timestamp.setter
    def timestamp(self, body: bytes) -> None:
        with closing(sqlite3.connect(self._folder.database, timeout=30)) as database, database:
            database.execute(FORGE, (body,))

    @property
    def signer(self) -> CryptoSigner:
        """The key of the timestamps, which is on that machine."""
        return self._folder.online_keys().timestamp


def altered(stamp: Metadata[Timestamp], _: CryptoSigner) -> None:
    """One more version, that nobody has signed."""
    stamp.signed.version += 1


def expired(stamp: Metadata[Timestamp], signer: CryptoSigner) -> None:
    """One that a day has passed over."""
    stamp.signed.expires = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    stamp.sign(signer)


def newer(stamp: Metadata[Timestamp], signer: CryptoSigner) -> None:
    """The next version, as the control plane itself would sign it."""
    stamp.signed.version += 1
    stamp.sign(signer)


@contextmanager
def served(fleet: Fleet, forge: Forge) -> Iterator[bytes]:
    """The control plane serves what was forged, instead of its newest timestamp; at the end a true and newer one."""
    database = Database(fleet)
    true = database.timestamp
    database.timestamp = _made(true, forge, database)
    try:
        yield database.timestamp
    finally:
        database.timestamp = _made(_made(true, newer, database), newer, database)


def _made(stamp: bytes, forge: Forge, database: Database) -> bytes:
    metadata = Metadata[Timestamp].from_bytes(stamp)
    forge(metadata, database.signer)
    return metadata.to_bytes()


def seen(fleet: Fleet, stamp: bytes) -> None:
    """Every agent has taken this timestamp, before."""
    for customer in fleet.customers:
        (Place(fleet.world.agent_dir(customer)).tuf / "timestamp.json").write_bytes(stamp)


def recorded(fleet: Fleet) -> Release:
    """A further release that is signed, and not rolled out yet."""
    fleet.number += 1
    words = ("release", str(fleet.number), "--project", str(fleet.world.project), "--no-rollout")
    return Release.model_validate(fleet.world.alien(*words))


def refused(fleet: Fleet, release: Release, before: str) -> str:
    """What is said of a rollout that nobody may take: the earlier release stays with everybody."""
    begun = NewRollout(release=release.version, policy=POLICY)
    done = fleet.ended(fleet.world.remote.post(Rollout, "/rollouts", begun))
    assert done.state == "halted", (done, fleet.says())
    assert fleet.common() == before
    (message,) = [target.message for target in done.targets if target.wave == "canary"]
    assert "the current release stays" in message
    assert "Traceback" not in message
    return message


def test_a_forged_timestamp(fleet: Fleet) -> None:
    before, release = fleet.common(), recorded(fleet)
    with served(fleet, altered):
        assert "failed the check of its signature, version or hash" in refused(fleet, release, before)


def test_an_older_timestamp_than_the_agents_have_seen(fleet: Fleet) -> None:
    before, release = fleet.common(), recorded(fleet)
    database = Database(fleet)
    with served(fleet, lambda *_: None) as now:
        seen(fleet, _made(now, newer, database))
        assert "failed the check of its signature, version or hash" in refused(fleet, release, before)


def test_an_expired_timestamp_and_an_agent_that_says_stale(fleet: Fleet) -> None:
    before, release = fleet.common(), recorded(fleet)
    with served(fleet, expired) as body:
        seen(fleet, body)  # a day went by at the customer's, too
        fleet.until(lambda: all(one.stale for one in fleet.deployments().values()))
        assert "has expired" in refused(fleet, release, before)
        assert fleet.ask("acme", "version")["release"] == before
    fleet.world.alien("rollout", "retry")
    fleet.until(lambda: fleet.world.alien("rollout", "status")["state"] == "succeeded", pause_s=0.5)
    fleet.assert_whole(release.version)
    fleet.until(lambda: not any(one.stale for one in fleet.deployments().values()))


def test_bytes_that_are_not_those_that_were_signed(fleet: Fleet) -> None:
    before, blobs = fleet.common(), fleet.world.folder / "control" / "blobs"
    known = set(blobs.rglob("*"))
    fleet.write("stacks/worker/main.py", (fleet.world.project / "stacks/worker/main.py").read_text() + "\n# newer\n")
    release = recorded(fleet)
    new = [path for path in set(blobs.rglob("*")) - known if path.is_file()]
    kept = {path: _tampered(path) for path in new}
    message = refused(fleet, release, before)
    assert "failed the check of its signature, version or hash" in message or "does not match" in message
    for path, copy in kept.items():
        shutil.copyfile(copy, path)
        copy.unlink()


def _tampered(path: Path) -> Path:
    """Change one byte of a file, and return a copy of what it was."""
    copy = path.with_name(path.name + ".kept")
    shutil.copyfile(path, copy)
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return copy
