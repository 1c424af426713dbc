"""The value of a linked Secret.

    password = await secret("crm").get()             # async
    password = secret("crm").sync.get()              # the same from a sync handler

Ask for it each time it is needed: a value that was changed is seen without a restart, on `local` at the next `get`, on
a cloud within a minute. `get(fresh=True)` asks the cloud in any case, as after a login that was refused.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from alien_iac.errors import InvalidInput, SecretNotSet, Unavailable
from alien_iac.runtime.stores.once import Once

REFRESH_SECONDS = 60.0
"""How long a cloud's secret is used before it is asked for again: each question costs money and some milliseconds."""


class SecretStore(Protocol):
    """One platform's side of a Secret, for threads. SecretNotSet (see `not_set`) where it has no value yet."""

    @property
    def kept_seconds(self) -> float:
        """How long a value may be used without asking again; 0 where asking costs nothing."""
        ...

    def get(self) -> bytes: ...


class SyncSecret:
    """One secret, for sync code and for threads."""

    def __init__(
        self, resource_id: str, connect: Callable[[], SecretStore], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._id = resource_id
        self._store = Once(connect)
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[bytes, float] | None = None

    def get(self, *, fresh: bool = False) -> str:
        """The value. SecretNotSet, which names the command that sets it, where it has none yet."""
        try:
            return self.get_bytes(fresh=fresh).decode()
        except UnicodeDecodeError:
            raise InvalidInput(f'the secret "{self._id}" is not text; read it with get_bytes()') from None

    def get_bytes(self, *, fresh: bool = False) -> bytes:
        """The value of a secret that is not text."""
        store = self._store()
        with self._lock:
            now, kept, self._kept = self._clock(), self._kept, None
            if kept is not None and not fresh and now - kept[1] < store.kept_seconds:
                self._kept = kept
                return kept[0]
            try:
                value = store.get()
            except Unavailable:
                # The last known value is better than none while the store is away; whoever wants it fresh is told.
                self._kept = kept
                if kept is None or fresh:
                    raise
                return kept[0]
            self._kept = (value, now) if store.kept_seconds else None
            return value

    def get_json(self, *, fresh: bool = False) -> Any:
        """The value of a secret that holds JSON, such as several credentials together."""
        try:
            return json.loads(self.get_bytes(fresh=fresh))
        except ValueError:
            raise InvalidInput(f'the secret "{self._id}" does not hold JSON') from None


class Secret:
    """One secret, for async code; `sync` is the same for sync code."""

    def __init__(self, resource_id: str, connect: Callable[[], SecretStore]) -> None:
        self.sync = SyncSecret(resource_id, connect)

    async def get(self, *, fresh: bool = False) -> str:
        """As `SyncSecret.get`."""
        return await asyncio.to_thread(self.sync.get, fresh=fresh)

    async def get_bytes(self, *, fresh: bool = False) -> bytes:
        """As `SyncSecret.get_bytes`."""
        return await asyncio.to_thread(self.sync.get_bytes, fresh=fresh)

    async def get_json(self, *, fresh: bool = False) -> Any:
        """As `SyncSecret.get_json`."""
        return await asyncio.to_thread(self.sync.get_json, fresh=fresh)


def not_set(resource_id: str) -> SecretNotSet:
    """The error of a secret without a value."""
    return SecretNotSet(
        f'the secret "{resource_id}" has no value yet', hint=f"set it with: alien secret set {resource_id}"
    )
