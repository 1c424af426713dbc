"""Storage, on every platform."""

from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime.conformance import Platform

from alien_iac.errors import BindingInvalid, Conflict, InvalidInput, NotFound
from alien_iac.runtime import storage
from alien_iac.runtime.stores.objects import key_refusal
from alien_iac.runtime.stores.storage import Storage

Link = Callable[[dict[str, str]], None]

KEYS = ["a.txt", "a/b.txt", "ü/日本 x.txt", "a#b", "50%", "q?*", "a~b", "x{y}", "back\\s", "%41", "Ü", "U\u0308", "🦑"]


@pytest.fixture
def files(platform: Platform, linked: Link) -> Storage:
    linked(platform.storage("files"))
    return storage("files")


async def test_keys_of_any_script_come_back_as_they_were(files: Storage) -> None:
    for key in KEYS:
        await files.put(key, key.encode())
    assert {info.key for info in await files.list()} == set(KEYS)
    for key in KEYS:
        assert await files.get(key) == key.encode()
        assert files.sync.get(key) == key.encode()


async def test_put_get_delete(files: Storage) -> None:
    with pytest.raises(NotFound, match=r"a\.txt"):
        await files.get("a.txt")
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


def test_the_same_for_sync_code(files: Storage) -> None:
    files.sync.put("k", b"1")
    with pytest.raises(Conflict):
        files.sync.put("k", b"2", if_absent=True)
    assert files.sync.head("k").size == 1
    assert [info.key for info in files.sync.list()] == ["k"]
    assert b"".join(files.sync.stream("k")) == b"1"
    files.sync.delete("k")
    assert files.sync.get_optional("k") is None


async def test_list_counts_in_segments(files: Storage) -> None:
    for key in ("a/1", "a/b/2", "ab", "c"):
        await files.put(key, b"")
    assert [info.key for info in await files.list("a")] == ["a/1", "a/b/2"]
    assert [info.key for info in await files.list("a/")] == ["a/1", "a/b/2"]
    assert await files.list("c") == []
    assert [info.key for info in await files.list()] == ["a/1", "a/b/2", "ab", "c"]


async def test_streams(files: Storage) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(30):
            yield bytes([number]) * 300_000

    await files.put("large", pieces())
    whole = b"".join([bytes([number]) * 300_000 for number in range(30)])
    read = [chunk async for chunk in files.stream("large")]
    assert len(read) > 1
    assert b"".join(read) == whole


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


async def test_signed_url(files: Storage) -> None:
    await files.put("a/b", b"1")
    signed = await files.signed_url("GET", "a/b", 60)
    assert signed.method == "GET"
    assert signed.url.endswith("/a/b")
    assert "a/b" not in repr(signed)


async def test_not_linked(linked: Link) -> None:
    with pytest.raises(BindingInvalid, match="ALIEN_ELSEWHERE_BINDING"):
        await storage("elsewhere").get("a")
    linked({"ALIEN_ODD_BINDING": '{"service": "carrier-pigeon", "token": "hunter2"}'})
    with pytest.raises(BindingInvalid, match="carrier-pigeon") as caught:
        await storage("odd").get("a")
    assert "hunter2" not in str(caught.value)
    linked({"ALIEN_ODD_BINDING": '{"service": "local-storage", "storagePath": 7}'})
    with pytest.raises(BindingInvalid, match="storagePath"):
        await storage("odd").get("a")
    linked({"ALIEN_ODD_BINDING": "hunter2"})
    with pytest.raises(BindingInvalid, match="not JSON") as caught:
        await storage("odd").get("a")
    assert "hunter2" not in str(caught.value)
