"""Storage, on every platform."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime.conformance import Env, MakesStorage

from alien_iac.errors import Conflict, InvalidInput, NotFound
from alien_iac.runtime import storage
from alien_iac.runtime.stores.objects import key_refusal
from alien_iac.runtime.stores.storage import SignedRequest, Storage

Link = Callable[[Env], None]

KEYS = ["a.txt", "a/b.txt", "ü/日本 x.txt", "a#b", "50%", "q?*", "a~b", "x{y}", "%41", "Ü", "U\u0308", "🦑"]
PLAIN_KEYS = ["+", "a&b=c", "a:b", "a+b c", "'\"", "<x>", "[1]", "^`|", "@$,;!"]

BACKSLASH = "back\\s"


@pytest.fixture
def files(storage_platform: MakesStorage, linked: Link) -> Storage:
    linked(storage_platform.storage("files"))
    return storage("files")


async def test_keys_of_any_script_come_back_as_they_were(files: Storage) -> None:
    keys = [*KEYS, *PLAIN_KEYS]
    for key in keys:
        await files.put(key, key.encode())
    assert {info.key for info in await files.list()} == set(keys)
    for key in keys:
        assert await files.get(key) == key.encode()
        assert files.sync.get(key) == key.encode()
        await files.delete(key)
    assert await files.list() == []


async def test_a_backslash_is_kept_or_refused(files: Storage) -> None:
    """Azure takes it for the slash that parts segments."""
    try:
        await files.put(BACKSLASH, b"1")
    except InvalidInput:
        assert await files.list() == []
    else:
        assert [info.key for info in await files.list()] == [BACKSLASH]


async def test_the_longest_key(files: Storage) -> None:
    key = "/".join(["d" * 204] * 4 + ["é" * 102])
    assert len(key.encode()) == 1024
    await files.put(key, b"1")
    assert [info.key for info in await files.list("d" * 204)] == [key]


async def test_put_get_delete(files: Storage) -> None:
    with pytest.raises(NotFound, match=r"a\.txt"):
        await files.get("a.txt")
    with pytest.raises(NotFound):
        await files.head("a.txt")
    assert await files.get_optional("a.txt") is None
    await files.put("a.txt", b"one")
    first = await files.head("a.txt")
    with pytest.raises(Conflict, match="exists already"):
        await files.put("a.txt", b"two", if_absent=True)
    await files.put("a.txt", b"two")
    second = await files.head("a.txt")
    assert (await files.get("a.txt"), second.size) == (b"two", 3)
    assert first.e_tag != second.e_tag
    await files.delete("a.txt")
    await files.delete("a.txt")
    assert await files.get_optional("a.txt") is None
    await files.put("a.txt", b"three", if_absent=True)


async def test_an_empty_object(files: Storage) -> None:
    await files.put("empty", b"")
    assert (await files.get("empty"), (await files.head("empty")).size) == (b"", 0)
    assert [chunk async for chunk in files.stream("empty")] == []


def test_the_same_for_sync_code(files: Storage) -> None:
    files.sync.put("k", b"1")
    with pytest.raises(Conflict):
        files.sync.put("k", b"2", if_absent=True)
    assert files.sync.head("k").size == 1
    assert [info.key for info in files.sync.list()] == ["k"]
    assert b"".join(files.sync.stream("k")) == b"1"
    files.sync.delete("k")
    assert files.sync.get_optional("k") is None


async def test_only_one_of_many_creates(files: Storage) -> None:
    async def create(number: int) -> bool:
        try:
            await files.put("lock", str(number).encode(), if_absent=True)
        except Conflict:
            return False
        return True

    wins = await asyncio.gather(*map(create, range(10)))
    assert sum(wins) == 1
    assert await files.get("lock") == str(wins.index(True)).encode()


async def test_list_counts_in_segments(files: Storage) -> None:
    for key in ("a/1", "a/b/2", "ab", "c"):
        await files.put(key, b"")
    assert [info.key for info in await files.list("a")] == ["a/1", "a/b/2"]
    assert [info.key for info in await files.list("a/")] == ["a/1", "a/b/2"]
    assert await files.list("c") == []
    assert [info.key for info in await files.list()] == ["a/1", "a/b/2", "ab", "c"]


async def test_a_list_longer_than_a_page(files: Storage) -> None:
    keys = [f"many/{number:04}" for number in range(1005)]
    for start in range(0, len(keys), 50):
        await asyncio.gather(*(files.put(key, b"") for key in keys[start : start + 50]))
    assert [info.key for info in await files.list("many")] == keys


PIECES = [bytes([number]) * 300_000 for number in range(30)]


async def test_streams(files: Storage, tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in PIECES:
            yield piece

    whole = b"".join(PIECES)
    await files.put("large", pieces())
    read = [chunk async for chunk in files.stream("large")]
    assert len(read) > 1
    assert b"".join(read) == whole
    source = tmp_path / "source"
    source.write_bytes(whole)
    with source.open("rb") as opened:
        files.sync.put("from a file", opened)
    assert files.sync.get("from a file") == whole
    with pytest.raises(NotFound):
        _ = [chunk async for chunk in files.stream("elsewhere")]


async def test_a_large_object_is_created_once(files: Storage) -> None:
    whole = b"".join(PIECES)
    await files.put("large", whole, if_absent=True)
    for again in (b"x" + whole, iter(PIECES)):
        with pytest.raises(Conflict):
            await files.put("large", again, if_absent=True)
    assert await files.get("large") == whole


async def test_a_stream_that_breaks_leaves_no_object(files: Storage) -> None:
    async def broken() -> AsyncIterator[bytes]:
        for piece in PIECES[:20]:
            yield piece
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        await files.put("large", broken())
    assert await files.get_optional("large") is None
    assert await files.list() == []


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../x", "a/./b", ".", "tab\t", "nul\0", "x" * 1025])
async def test_bad_keys(files: Storage, key: str) -> None:
    for attempt in (files.get(key), files.put(key, b""), files.delete(key)):
        with pytest.raises(InvalidInput):
            await attempt


@given(st.text(max_size=40))
def test_a_key_is_good_or_refused_with_a_reason(key: str) -> None:
    refusal = key_refusal(key)
    assert refusal is None or refusal
    if refusal is None:
        assert all(segment not in ("", ".", "..") for segment in key.split("/"))


async def test_signed_urls(files: Storage) -> None:
    key = "ü/a b+c.txt"
    for seconds in (0, 604_801):
        with pytest.raises(InvalidInput, match="604800"):
            await files.signed_url("GET", key, seconds)
    await files.put(key, b"1")
    signed = await files.signed_url("GET", key, 60)
    assert signed.method == "GET"
    assert unquote(signed.url.partition("?")[0]).endswith("/" + key)
    assert "a b" not in repr(signed)
    assert sent(signed) == b"1"
    if signed.url.startswith("http"):
        sent(await files.signed_url("PUT", key, 60), b"2")
        assert await files.get(key) == b"2"
        sent(await files.signed_url("DELETE", key, 60))
        assert await files.list() == []


def sent(signed: SignedRequest, content: bytes | None = None) -> bytes:
    """What somebody without credentials gets for it."""
    path = signed.url.removeprefix("local://")
    if path != signed.url:
        return Path(path).read_bytes()
    answer = httpx.request(signed.method, signed.url, headers=signed.headers, content=content)
    answer.raise_for_status()
    return answer.content
