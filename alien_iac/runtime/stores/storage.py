"""Objects by key: the face of a Storage, over `obstore`, which speaks to every platform's object store.

    files = storage("files")
    await files.put("reports/2026.csv", data)        # async
    files.sync.put("reports/2026.csv", data)         # the same from a sync handler

Keys are any unicode text without control characters, in segments parted by "/", 1,024 bytes at most. The errors are the
same on every platform: NotFound, Conflict (`if_absent`, and it exists), Forbidden, InvalidInput (a bad key),
Unavailable for the rest.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING, Literal, Protocol

import obstore

from alien_iac.errors import InvalidInput, NotFound
from alien_iac.runtime.stores.objects import ObjectDoor

if TYPE_CHECKING:
    from obstore import ObjectMeta  # a name that exists for type checkers only
    from obstore.store import ObjectStore

SIGNED_LIMIT = 604_800
"""Seconds: no cloud signs for longer than a week, and with a workload's own short-lived credentials for less."""

Method = Literal["GET", "PUT", "DELETE"]
Data = bytes | IO[bytes] | Iterable[bytes]


@dataclass(frozen=True, kw_only=True)
class ObjectInfo:
    """What a storage knows of an object without its content. `e_tag` changes with the content."""

    key: str
    size: int
    last_modified: datetime
    e_tag: str | None = None


@dataclass(frozen=True, kw_only=True)
class SignedRequest:
    """A request that whoever has it may send, for a while."""

    method: Method
    url: str = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)


class ObjectPlace(Protocol):
    """One platform's side of a Storage: its `obstore` store, how it signs, and what else it asks of a key."""

    @property
    def objects(self) -> ObjectStore: ...

    def sign(self, method: Method, key: str, lasts: timedelta) -> SignedRequest: ...

    def refusal(self, key: str) -> str | None:
        """Why this platform cannot keep an object under the key, if so."""
        ...


class SyncStorage:
    """The objects of one storage, for sync code."""

    def __init__(self, door: ObjectDoor) -> None:
        self._door = door

    def get(self, key: str) -> bytes:
        """The whole content. NotFound where there is no such object."""
        with self._door.open(key) as objects:
            return bytes(obstore.get(objects, key).bytes())

    def get_optional(self, key: str) -> bytes | None:
        """The whole content, or None where there is no such object."""
        try:
            return self.get(key)
        except NotFound:
            return None

    def stream(self, key: str, chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
        """The content in pieces of about `chunk_bytes`."""
        with self._door.open(key) as objects:
            for chunk in obstore.get(objects, key).stream(chunk_bytes):
                yield bytes(chunk)

    def put(self, key: str, data: Data, *, if_absent: bool = False) -> None:
        """Store an object whole; nobody sees a part of it. Conflict where `if_absent` and it exists."""
        with self._door.open(key) as objects:
            obstore.put(objects, key, data, mode="create" if if_absent else "overwrite")

    def head(self, key: str) -> ObjectInfo:
        """What is known of an object. NotFound where there is none."""
        with self._door.open(key) as objects:
            return _info(obstore.head(objects, key))

    def delete(self, key: str) -> None:
        """Remove an object. Removing one that is not there is no error, on any platform."""
        with self._door.open(key, missing_is_fine=True) as objects:
            obstore.delete(objects, key)

    def list(self, prefix: str | None = None) -> builtins.list[ObjectInfo]:
        """The objects below a prefix, ordered by key. It counts in whole segments: "a" finds "a/b", not "ab"."""
        with self._door.open_prefix(prefix) as (objects, trimmed):
            return _infos(obstore.list(objects, prefix=trimmed).collect())

    def signed_url(self, method: Method, key: str, expires_in: float) -> SignedRequest:
        """A request for this one object that needs no credentials for `expires_in` seconds, a week at most.

        On `local` its URL is `local:///path`: the file itself, for a reader on the same machine.
        """
        if not 0 < expires_in <= SIGNED_LIMIT:
            raise InvalidInput(f"a signed URL lasts more than 0 and up to {SIGNED_LIMIT} seconds, not {expires_in}")
        with self._door.open(key):
            return self._door.place().sign(method, key, timedelta(seconds=expires_in))


class Storage:
    """The objects of one storage, for async code; `sync` is the same for sync code."""

    def __init__(self, resource_id: str, connect: Callable[[], ObjectPlace]) -> None:
        self._door = ObjectDoor(resource_id, connect)
        self.sync = SyncStorage(self._door)

    async def get(self, key: str) -> bytes:
        """The whole content. NotFound where there is no such object."""
        with self._door.open(key) as objects:
            return bytes(await (await obstore.get_async(objects, key)).bytes_async())

    async def get_optional(self, key: str) -> bytes | None:
        """The whole content, or None where there is no such object."""
        try:
            return await self.get(key)
        except NotFound:
            return None

    async def stream(self, key: str, chunk_bytes: int = 1 << 20) -> AsyncIterator[bytes]:
        """The content in pieces of about `chunk_bytes`."""
        with self._door.open(key) as objects:
            async for chunk in (await obstore.get_async(objects, key)).stream(chunk_bytes):
                yield bytes(chunk)

    async def put(self, key: str, data: Data | AsyncIterable[bytes], *, if_absent: bool = False) -> None:
        """Store an object whole; nobody sees a part of it. Conflict where `if_absent` and it exists."""
        with self._door.open(key) as objects:
            await obstore.put_async(objects, key, data, mode="create" if if_absent else "overwrite")

    async def head(self, key: str) -> ObjectInfo:
        """What is known of an object. NotFound where there is none."""
        with self._door.open(key) as objects:
            return _info(await obstore.head_async(objects, key))

    async def delete(self, key: str) -> None:
        """Remove an object. Removing one that is not there is no error, on any platform."""
        with self._door.open(key, missing_is_fine=True) as objects:
            await obstore.delete_async(objects, key)

    async def list(self, prefix: str | None = None) -> builtins.list[ObjectInfo]:
        """The objects below a prefix, ordered by key. It counts in whole segments: "a" finds "a/b", not "ab"."""
        with self._door.open_prefix(prefix) as (objects, trimmed):
            return _infos(await obstore.list(objects, prefix=trimmed).collect_async())

    async def signed_url(self, method: Method, key: str, expires_in: float) -> SignedRequest:
        """As `SyncStorage.signed_url`."""
        return self.sync.signed_url(method, key, expires_in)


def _info(meta: ObjectMeta) -> ObjectInfo:
    return ObjectInfo(key=meta["path"], size=meta["size"], last_modified=meta["last_modified"], e_tag=meta.get("e_tag"))


def _infos(metas: Iterable[ObjectMeta]) -> list[ObjectInfo]:
    return sorted(map(_info, metas), key=lambda info: info.key)
