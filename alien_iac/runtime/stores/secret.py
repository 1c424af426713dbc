"""The value of a linked Secret.

    password = await secret("crm").get()             # async
    password = secret("crm").sync.get()              # the same from a sync handler

Ask for it each time it is needed: a value that was changed is seen at the next `get`, without a restart.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Protocol

from alien_iac.errors import InvalidInput
from alien_iac.runtime.stores.once import Once


class SecretStore(Protocol):
    """One platform's side of a Secret, for threads. SecretNotSet where it has no value yet."""

    def get(self) -> bytes: ...


class SyncSecret:
    """One secret, for sync code and for threads."""

    def __init__(self, resource_id: str, connect: Callable[[], SecretStore]) -> None:
        self._id = resource_id
        self._store = Once(connect)

    def get(self) -> str:
        """The value. SecretNotSet, which names the command that sets it, where it has none yet."""
        try:
            return self._store().get().decode()
        except UnicodeDecodeError:
            raise InvalidInput(f'the secret "{self._id}" is not text; read it with get_bytes()') from None

    def get_bytes(self) -> bytes:
        """The value of a secret that is not text."""
        return self._store().get()

    def get_json(self) -> Any:
        """The value of a secret that holds JSON, such as several credentials together."""
        try:
            return json.loads(self._store().get())
        except ValueError:
            raise InvalidInput(f'the secret "{self._id}" does not hold JSON') from None


class Secret:
    """One secret, for async code; `sync` is the same for sync code."""

    def __init__(self, resource_id: str, connect: Callable[[], SecretStore]) -> None:
        self.sync = SyncSecret(resource_id, connect)

    async def get(self) -> str:
        """As `SyncSecret.get`."""
        return await asyncio.to_thread(self.sync.get)

    async def get_bytes(self) -> bytes:
        """As `SyncSecret.get_bytes`."""
        return await asyncio.to_thread(self.sync.get_bytes)

    async def get_json(self) -> Any:
        """As `SyncSecret.get_json`."""
        return await asyncio.to_thread(self.sync.get_json)
