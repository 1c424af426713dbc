"""Items by key: the face of a Kv, its limits, and the protocol of what keeps them.

    sessions = kv("sessions")
    await sessions.put("user:7", b"…", ttl_seconds=3600)        # async
    sessions.sync.put("user:7", b"…", ttl_seconds=3600)         # the same from a sync handler

Conditions say in the result whether they held; nothing is raised for them. Errors are the same on every platform:
InvalidInput (a bad key, a value that is too large), Forbidden, Unavailable.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from alien_iac.errors import InvalidInput
from alien_iac.runtime.stores.once import Once

KEY = re.compile(r"[A-Za-z0-9_:.-]{1,512}")
VALUE_LIMIT = 24_576
PAGE_LIMIT = 1000


@dataclass(frozen=True)
class KvEntry:
    """One item. `version` changes with each put, and is what `if_version` compares."""

    key: str
    value: bytes
    version: str


@dataclass(frozen=True)
class KvPage:
    """Part of a scan. `next_cursor` continues it, None at the end."""

    items: tuple[KvEntry, ...]
    next_cursor: str | None = None


class KvStore(Protocol):
    """One platform's side of a Kv, for threads. An item whose time to live is over is not there, for any operation."""

    def get(self, key: str) -> KvEntry | None: ...

    def put(
        self, key: str, value: bytes, ttl_seconds: float | None, *, if_absent: bool, if_version: str | None
    ) -> bool: ...

    def delete(self, key: str, if_version: str | None) -> bool: ...

    def scan(self, prefix: str, limit: int, cursor: str | None) -> KvPage: ...


class SyncKv:
    """The items of one Kv, for sync code and for threads."""

    def __init__(self, resource_id: str, connect: Callable[[], KvStore]) -> None:
        self._id = resource_id
        self._store = Once(connect)

    def get(self, key: str) -> KvEntry | None:
        """The item, or None."""
        return self._store().get(self._checked(key))

    def exists(self, key: str) -> bool:
        return self.get(key) is not None

    def put(
        self,
        key: str,
        value: bytes | str,
        *,
        ttl_seconds: float | None = None,
        if_absent: bool = False,
        if_version: str | None = None,
    ) -> bool:
        """Store an item (text as UTF-8). False where `if_absent` or `if_version` did not hold, and nothing changed.

        Without `ttl_seconds` the item stays, also where the one that it replaces had a time to live.
        """
        data = value.encode() if isinstance(value, str) else bytes(value)
        if len(data) > VALUE_LIMIT:
            raise InvalidInput(
                f'kv "{self._id}", key "{self._checked(key)}": the value has {len(data)} bytes; {VALUE_LIMIT} fit',
                hint="keep large values in a storage, and their key here",
            )
        if ttl_seconds is not None and ttl_seconds <= 0:
            raise InvalidInput(f'kv "{self._id}": ttl_seconds is {ttl_seconds}; it is more than 0')
        if if_absent and if_version is not None:
            raise InvalidInput(f'kv "{self._id}": if_absent and if_version exclude each other')
        return self._store().put(self._checked(key), data, ttl_seconds, if_absent=if_absent, if_version=if_version)

    def delete(self, key: str, *, if_version: str | None = None) -> bool:
        """Remove an item. False where there was none, or `if_version` did not hold."""
        return self._store().delete(self._checked(key), if_version)

    def scan(self, prefix: str = "", *, limit: int = PAGE_LIMIT, cursor: str | None = None) -> KvPage:
        """A page of the items whose key begins with `prefix`. Their order is the platform's; on `local`, by key.

        InvalidInput where the cursor is not one that a page of this Kv gave.
        """
        if prefix:
            self._checked(prefix)
        if not 1 <= limit <= PAGE_LIMIT:
            raise InvalidInput(f'kv "{self._id}": a page has 1 to {PAGE_LIMIT} items, not {limit}')
        return self._store().scan(prefix, limit, cursor)

    def _checked(self, key: str) -> str:
        if not KEY.fullmatch(key):
            raise InvalidInput(f'kv "{self._id}": {key!r} is no key; it has 1 to 512 of A-Z a-z 0-9 _ : . -')
        return key


class Kv:
    """The items of one Kv, for async code; `sync` is the same for sync code."""

    def __init__(self, resource_id: str, connect: Callable[[], KvStore]) -> None:
        self.sync = SyncKv(resource_id, connect)

    async def get(self, key: str) -> KvEntry | None:
        """As `SyncKv.get`."""
        return await asyncio.to_thread(self.sync.get, key)

    async def exists(self, key: str) -> bool:
        return await asyncio.to_thread(self.sync.exists, key)

    async def put(
        self,
        key: str,
        value: bytes | str,
        *,
        ttl_seconds: float | None = None,
        if_absent: bool = False,
        if_version: str | None = None,
    ) -> bool:
        """As `SyncKv.put`."""
        return await asyncio.to_thread(
            self.sync.put, key, value, ttl_seconds=ttl_seconds, if_absent=if_absent, if_version=if_version
        )

    async def delete(self, key: str, *, if_version: str | None = None) -> bool:
        """As `SyncKv.delete`."""
        return await asyncio.to_thread(self.sync.delete, key, if_version=if_version)

    async def scan(self, prefix: str = "", *, limit: int = PAGE_LIMIT, cursor: str | None = None) -> KvPage:
        """As `SyncKv.scan`."""
        return await asyncio.to_thread(self.sync.scan, prefix, limit=limit, cursor=cursor)


def bad_cursor(resource_id: str) -> InvalidInput:
    """The error of a cursor that no page gave."""
    return InvalidInput(f'kv "{resource_id}": the cursor is not the next_cursor of a page of it')
