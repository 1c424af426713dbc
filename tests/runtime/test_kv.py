"""Kv, on every platform, and against a model."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from runtime.conformance import Platform

from alien_iac.errors import InvalidInput
from alien_iac.runtime import kv
from alien_iac.runtime.stores.kv import Kv, KvEntry
from alien_iac.runtime.stores.local_kv import SqliteKv

Link = Callable[[dict[str, str]], None]


@pytest.fixture
def sessions(platform: Platform, linked: Link) -> Kv:
    linked(platform.kv("sessions"))
    return kv("sessions")


async def test_put_get_delete(sessions: Kv) -> None:
    assert await sessions.get("a") is None
    assert await sessions.put("a", b"1")
    entry = await sessions.get("a")
    assert entry is not None
    assert entry.value == b"1"
    assert not await sessions.put("a", b"2", if_absent=True)
    assert not await sessions.put("a", b"2", if_version="other")
    assert await sessions.put("a", "zwei", if_version=entry.version)
    newer = await sessions.get("a")
    assert newer is not None
    assert (newer.value, newer.version != entry.version) == (b"zwei", True)
    assert not await sessions.delete("a", if_version=entry.version)
    assert await sessions.exists("a")
    assert await sessions.delete("a", if_version=newer.version)
    assert not await sessions.delete("a")
    assert not await sessions.put("a", b"3", if_version=newer.version)


async def test_time_to_live(sessions: Kv) -> None:
    await sessions.put("a", b"1", ttl_seconds=0.15)
    assert await sessions.exists("a")
    assert not await sessions.put("a", b"2", if_absent=True)
    await asyncio.sleep(0.25)
    assert await sessions.get("a") is None
    assert (await sessions.scan()).items == ()
    assert not await sessions.delete("a")
    assert await sessions.put("a", b"2", if_absent=True)


async def test_scan(sessions: Kv) -> None:
    keys = [f"p:{number:02}" for number in range(25)]
    for key in [*keys, "q:1", "p"]:
        await sessions.put(key, key.encode())
    found: list[KvEntry] = []
    cursor = None
    while True:
        page = await sessions.scan("p:", limit=10, cursor=cursor)
        assert len(page.items) <= 10
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(entry.key for entry in found) == keys
    assert all(entry.value == entry.key.encode() for entry in found)


async def test_limits(sessions: Kv) -> None:
    await sessions.put("k" * 512, b"x" * 24_576)
    with pytest.raises(InvalidInput, match="24577"):
        await sessions.put("k", b"x" * 24_577)
    for key in ("", "k" * 513, "ü", "a b", "a/b", "a\n"):
        with pytest.raises(InvalidInput, match="is no key"):
            await sessions.get(key)
    with pytest.raises(InvalidInput, match="1 to 1000"):
        await sessions.scan(limit=0)
    with pytest.raises(InvalidInput, match="ttl"):
        await sessions.put("k", b"", ttl_seconds=0)


async def test_only_one_of_many_wins(sessions: Kv) -> None:
    wins = await asyncio.gather(*(sessions.put("lock", str(n), if_absent=True) for n in range(20)))
    assert sum(wins) == 1

    async def add_one() -> None:
        while True:
            entry = await sessions.get("count")
            value = int(entry.value) if entry else 0
            if await sessions.put(
                "count", str(value + 1), **({"if_version": entry.version} if entry else {"if_absent": True})
            ):
                return

    await asyncio.gather(*(add_one() for _ in range(20)))
    entry = await sessions.get("count")
    assert entry is not None
    assert entry.value == b"20"


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


KEYS = st.sampled_from(["a", "a:1", "a:2", "b", "B", "a.", "a-"])


class KvModel(RuleBasedStateMachine):
    """A dictionary with times says what the file must say."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now = 1000.0
        self.model: dict[str, tuple[bytes, float | None, str]] = {}
        self.store = SqliteKv(Path(self.folder.name), "k", clock=lambda: self.now)

    def there(self, key: str) -> tuple[bytes, float | None, str] | None:
        found = self.model.get(key)
        return None if found is None or (found[1] is not None and found[1] <= self.now) else found

    @rule(
        key=KEYS,
        value=st.binary(max_size=4),
        ttl=st.none() | st.integers(1, 100),
        condition=st.sampled_from(["none", "absent", "version", "wrong"]),
    )
    def put(self, key: str, value: bytes, ttl: int | None, condition: str) -> None:
        there = self.there(key)
        version = {"version": there[2] if there else "none", "wrong": "wrong"}.get(condition)
        wins = {"none": True, "absent": there is None, "version": there is not None, "wrong": False}[condition]
        done = self.store.put(key, value, ttl, if_absent=condition == "absent", if_version=version)
        assert done is wins
        if wins:
            entry = self.store.get(key)
            assert entry is not None
            self.model[key] = (value, None if ttl is None else self.now + ttl, entry.version)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        assert self.store.delete(key, None) is (self.there(key) is not None)
        self.model.pop(key, None)

    @rule(seconds=st.integers(1, 90))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.model)
    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = SqliteKv(Path(self.folder.name), "k", clock=lambda: self.now)

    @rule(prefix=st.sampled_from(["", "a", "a:", "b", "x"]), limit=st.integers(1, 4))
    def scan(self, prefix: str, limit: int) -> None:
        found, cursor = [], None
        while True:
            page = self.store.scan(prefix, limit, cursor)
            found += [(entry.key, entry.value) for entry in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        live = {key: self.there(key) for key in self.model}
        expected = [(key, value[0]) for key, value in sorted(live.items()) if value and key.startswith(prefix)]
        assert found == expected

    @invariant()
    def agrees(self) -> None:
        for key in self.model:
            entry, there = self.store.get(key), self.there(key)
            assert (entry and (entry.value, entry.version)) == (there and (there[0], there[2]))

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestKvModel = KvModel.TestCase
TestKvModel.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
