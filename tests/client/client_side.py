"""The two clients behind one face, on a real control plane, and an agent that answers beside them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from control.control_plane import URL, Agent, Plane, inline, unpack

from alien_iac.client import AsyncCommands, Commands, Signer

Fault = Callable[[httpx.Request], httpx.Response | None]
"""Sees each request: raises, or answers in the place of the control plane, or neither (None)."""


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """The way to the control plane. `lose` answers are thrown away after the control plane has done its work."""

    plane: Plane
    lose: int = 0
    down: bool = False
    requests: list[httpx.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        self.requests.append(request)
        inner = httpx.ASGITransport(app=self.plane.app)
        answer = await inner.handle_async_request(request)
        if self.lose:
            self.lose -= 1
            raise httpx.ReadError("reset", request=request)
        return answer


class Blocking(httpx.BaseTransport):
    """The same way for a thread: the event loop carries its requests."""

    def __init__(self, wire: httpx.AsyncBaseTransport) -> None:
        self._wire = wire
        self._loop = asyncio.get_running_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def carry() -> tuple[httpx.Response, bytes]:
            answer = await self._wire.handle_async_request(
                httpx.Request(
                    request.method,
                    request.url,
                    headers=request.headers,
                    content=request.read(),
                    extensions=request.extensions,
                )
            )
            return answer, await answer.aread()

        answer, body = asyncio.run_coroutine_threadsafe(carry(), self._loop).result(30)
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)


class Client:
    """Calls one of the two by the method's name."""

    def __init__(self, kind: str, wire: Wire, token: str, signer: Signer | None = None) -> None:
        self._kind = kind
        self._async = AsyncCommands(URL, token, signer=signer, transport_=wire)
        self._sync = Commands(f"{URL}/", token, signer=signer, transport_=Blocking(wire))

    async def call(self, method: str, *words: Any, **options: Any) -> Any:
        if self._kind == "sync":
            return await asyncio.to_thread(getattr(self._sync, method), *words, **options)
        return await getattr(self._async, method)(*words, **options)

    async def ls(self, *words: Any, **options: Any) -> list[Any]:
        if self._kind == "sync":
            return await asyncio.to_thread(lambda: list(self._sync.ls(*words, **options)))
        return [one async for one in self._async.ls(*words, **options)]

    async def close(self) -> None:
        await self._async.close()
        await asyncio.to_thread(self._sync.close)


@asynccontextmanager
async def answering(agent: Agent, answer: Callable[[Any], Any]) -> AsyncIterator[list[dict[str, Any]]]:
    """An agent that answers each command with `answer` of its parameters; what it was given."""
    given: list[dict[str, Any]] = []

    async def live() -> None:
        while True:
            for lease in await agent.lease(wait=5):
                given.append(lease)
                async with agent.plane.client() as http:
                    params = lease["envelope"]["params"]
                    where = params.get("storageGetRequest", {}).get("backend", {}).get("url")
                    data = (await http.get(where)).json() if where else unpack(params)
                await agent.answer(lease, answer(data))

    task = asyncio.create_task(live())
    try:
        yield given
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def failing(agent: Agent, lease: dict[str, Any], code: str) -> Any:
    """Answer a lease with a failure."""
    url = httpx.URL(f"{URL}/v1/commands/leases").join(lease["envelope"]["responseHandling"]["submitResponseUrl"])
    body = {"status": "error", "code": code, "message": "no", "details": "ask"}
    return agent.plane.call("PUT", str(url), body, "")


__all__ = ["Blocking", "Client", "Wire", "answering", "failing", "inline"]
