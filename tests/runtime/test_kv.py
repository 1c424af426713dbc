"""Kv, on every platform."""

import asyncio
from collections.abc import Callable

import pytest
from runtime.conformance import Env, MakesKv

from alien_iac.errors import InvalidInput
from alien_iac.runtime import kv
from alien_iac.runtime.stores.kv import Kv, KvEntry

Link = Callable[[Env], None]


@pytest.fixture
def sessions(kv_platform: MakesKv, linked: Link) -> Kv:
    linked(kv_platform.kv("sessions"))
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


async def test_values_of_any_bytes(sessions: Kv) -> None:
    for value in (b"", b"\0", bytes(range(256)), "☃".encode()):
        await sessions.put("a", value)
        entry = await sessions.get("a")
        assert entry is not None
        assert entry.value == value
        assert [item.value for item in (await sessions.scan()).items] == [value]


async def test_time_to_live(sessions: Kv) -> None:
    await sessions.put("a", b"1", ttl_seconds=1)
    await sessions.put("b", b"1", ttl_seconds=100)
    assert await sessions.exists("a")
    assert not await sessions.put("a", b"2", if_absent=True)
    old = await sessions.get("a")
    assert old is not None
    await asyncio.sleep(2.1)
    assert await sessions.get("a") is None
    assert [item.key for item in (await sessions.scan()).items] == ["b"]
    assert not await sessions.delete("a")
    assert not await sessions.put("a", b"2", if_version=old.version)
    assert await sessions.put("a", b"2", if_absent=True)
    assert await sessions.put("b", b"2")
    assert len((await sessions.scan()).items) == 2


async def scanned(sessions: Kv, prefix: str, limit: int) -> list[KvEntry]:
    found: list[KvEntry] = []
    cursor = None
    while True:
        page = await sessions.scan(prefix, limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_scan(sessions: Kv) -> None:
    keys = [f"p:{number:02}" for number in range(25)]
    for key in [*keys, "q:1", "p", "P:1", "p_1"]:
        await sessions.put(key, key.encode())
    for limit in (1, 10, 25, 1000):
        found = await scanned(sessions, "p:", limit)
        assert sorted(entry.key for entry in found) == keys
        assert all(entry.value == entry.key.encode() for entry in found)
    assert len(await scanned(sessions, "", 7)) == 29
    assert await scanned(sessions, "z", 7) == []


async def test_a_scan_finds_what_stands_still(sessions: Kv) -> None:
    """What is put or deleted between its pages takes nothing else away."""
    keys = [f"k{number}" for number in range(12)]
    for key in keys:
        await sessions.put(key, b"")
    first = await sessions.scan(limit=5)
    gone = first.items[-1].key
    await sessions.delete(gone)
    await sessions.put("new", b"")
    found = [entry.key for entry in first.items]
    cursor = first.next_cursor
    while cursor is not None:
        page = await sessions.scan(limit=5, cursor=cursor)
        found += [entry.key for entry in page.items]
        cursor = page.next_cursor
    assert set(keys) <= set(found)
    assert len(found) == len(set(found))


async def test_a_scan_of_large_values(sessions: Kv) -> None:
    """More bytes than a cloud answers at once."""
    value = bytes(24_576)
    keys = [f"k{number}" for number in range(60)]
    await asyncio.gather(*(sessions.put(key, value) for key in keys))
    assert sorted(entry.key for entry in await scanned(sessions, "", 1000)) == sorted(keys)


async def test_limits(sessions: Kv) -> None:
    await sessions.put("k" * 512, b"x" * 24_576)
    with pytest.raises(InvalidInput, match="24577"):
        await sessions.put("k", b"x" * 24_577)
    for key in ("", "k" * 513, "ü", "a b", "a/b", "a\n"):
        with pytest.raises(InvalidInput, match="is no key"):
            await sessions.get(key)
    with pytest.raises(InvalidInput, match="1 to 1000"):
        await sessions.scan(limit=0)
    with pytest.raises(InvalidInput, match="cursor"):
        await sessions.scan(cursor="hunter2/~")
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

    await asyncio.gather(*(add_one() for _ in range(10)))
    entry = await sessions.get("count")
    assert entry is not None
    assert entry.value == b"10"
    assert sum(await asyncio.gather(*(sessions.delete("count", if_version=entry.version) for _ in range(10)))) == 1
