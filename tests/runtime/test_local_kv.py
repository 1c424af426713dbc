"""Kv on `local`: against a model, and the file as others make and read it."""

import sqlite3
import tempfile
import time
from pathlib import Path

from hypothesis import settings
from runtime.kv_model import Clock, KvModel

from alien_iac.runtime.stores.local_kv import SqliteKv


def test_a_file_of_another_make(tmp_path: Path) -> None:
    """What the public SDK writes is read, and the other way round: the layout is the same, to the letter."""
    folder = tmp_path / "kv"
    folder.mkdir()
    db = sqlite3.connect(folder / "localkv.sqlite")
    db.executescript(
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
        "CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER, version TEXT NOT NULL);"
        "INSERT INTO meta VALUES ('format', 'localkv.v2');"
        "INSERT INTO kv VALUES ('a:1', x'68690a', NULL, '68bbdecee5174fbfac81b109cf77029a');"
    )
    db.close()
    store = SqliteKv(folder, "sessions")
    entry = store.get("a:1")
    assert entry is not None
    assert (entry.value, entry.version) == (b"hi\n", "68bbdecee5174fbfac81b109cf77029a")
    assert store.put("a:2", b"there", 60, if_absent=False, if_version=None)
    store.close()
    db = sqlite3.connect(folder / "localkv.sqlite")
    ((value, expires, version),) = db.execute("SELECT value, expires_at, version FROM kv WHERE key = 'a:2'").fetchall()
    assert (value, len(version)) == (b"there", 32)
    assert abs(expires - (time.time() + 60) * 1000) < 5000
    db.close()


def test_a_time_to_live_of_less_than_a_second(tmp_path: Path) -> None:
    now = [5.0]
    store = SqliteKv(tmp_path, "sessions", clock=lambda: now[0])
    store.put("a", b"1", 0.15, if_absent=False, if_version=None)
    now[0] = 5.14
    assert store.get("a") is not None
    now[0] = 5.15
    assert store.get("a") is None
    store.close()


class LocalKvModel(KvModel):
    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.open: list[SqliteKv] = []
        super().__init__()

    def opened(self, clock: Clock) -> SqliteKv:
        self.close()
        self.open.append(SqliteKv(Path(self.folder.name), "k", clock=clock))
        return self.open[-1]

    def close(self) -> None:
        for store in self.open:
            store.close()

    def teardown(self) -> None:
        self.close()
        self.folder.cleanup()


TestLocalKvModel = LocalKvModel.TestCase
TestLocalKvModel.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
