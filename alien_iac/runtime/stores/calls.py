"""Calling another workload of the deployment.

url = container("index").url                                      # for any HTTP or TCP client
result = await function("worker").invoke("resize", {"key": "a"})  # a `@command` of it
result = function("worker").sync.invoke("resize", {"key": "a"})   # the same from a sync handler
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pydantic_core

from alien_iac.errors import InvalidInput
from alien_iac.runtime.stores.once import Once

INVOKE_SECONDS = 60.0


class ContainerPlace(Protocol):
    """One platform's side of a linked Container."""

    @property
    def url(self) -> str: ...

    @property
    def public_url(self) -> str | None: ...


class FunctionPlace(Protocol):
    """One platform's side of a linked Function, for threads. Parameters and result are JSON."""

    @property
    def url(self) -> str: ...

    def invoke(self, command: str, parameters: bytes, timeout_seconds: float) -> bytes: ...


class ContainerLink:
    """Where a linked Container is."""

    def __init__(self, connect: Callable[[], ContainerPlace]) -> None:
        self._place = Once(connect)

    @property
    def url(self) -> str:
        """Its address inside the deployment, such as `http://127.0.0.1:7700`."""
        return self._place().url

    @property
    def public_url(self) -> str | None:
        """Its address for everybody, where it is public."""
        return self._place().public_url


class SyncFunctionLink:
    """A linked Function, for sync code and for threads."""

    def __init__(self, resource_id: str, connect: Callable[[], FunctionPlace]) -> None:
        self._id = resource_id
        self.place = Once(connect)

    def invoke(
        self, command: str, parameters: Mapping[str, object] | None = None, *, timeout_seconds: float = INVOKE_SECONDS
    ) -> Any:
        """The result of one of its commands.

        HandlerFailed where that failed, with its code in the context; Unavailable where the Function did not answer in
        time, and it may have run or not.
        """
        try:
            body = pydantic_core.to_json(dict(parameters or {}), inf_nan_mode="null")
        except (pydantic_core.PydanticSerializationError, UnicodeDecodeError) as error:
            raise InvalidInput(f'function "{self._id}": the parameters of "{command}" have no JSON form') from error
        return pydantic_core.from_json(self.place().invoke(command, body, timeout_seconds))


class FunctionLink:
    """A linked Function, for async code; `sync` is the same for sync code."""

    def __init__(self, resource_id: str, connect: Callable[[], FunctionPlace]) -> None:
        self.sync = SyncFunctionLink(resource_id, connect)

    @property
    def url(self) -> str:
        """The address of its ASGI `app` inside the deployment."""
        return self.sync.place().url

    async def invoke(
        self, command: str, parameters: Mapping[str, object] | None = None, *, timeout_seconds: float = INVOKE_SECONDS
    ) -> Any:
        """As `SyncFunctionLink.invoke`."""
        return await asyncio.to_thread(self.sync.invoke, command, parameters, timeout_seconds=timeout_seconds)
