"""The vendor's ASGI app where no server stands before it: its lifespan, and one request after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from uvicorn.lifespan.on import LifespanOn

from alien_iac.errors import InvalidInput

if TYPE_CHECKING:
    from alien_iac.runtime.workload import Asgi


@dataclass(frozen=True)
class Answer:
    """What the app answered."""

    status: int
    headers: httpx.Headers
    body: bytes


class Served:
    """One app, on one event loop."""

    def __init__(self, app: Asgi) -> None:
        self._app = app
        self._lifespan = LifespanOn(uvicorn.Config(app, lifespan="auto", log_config=None))

    async def start(self) -> None:
        """Once, before the first request. InvalidInput where its lifespan does not start."""
        await self._lifespan.startup()
        if self._lifespan.should_exit:
            raise InvalidInput("the ASGI app did not start: its lifespan failed", hint="the log says why")

    async def stop(self) -> None:
        await self._lifespan.shutdown()

    async def answer(self, request: httpx.Request, client: str) -> Answer:
        """The app's answer to a request; 500 where it raises."""
        transport = httpx.ASGITransport(self._with_state, raise_app_exceptions=False, client=(client, 0))
        response = await transport.handle_async_request(request)
        # As it was sent: reading it through the response would undo its content encoding.
        stream = response.stream
        body = b"".join([part async for part in stream]) if isinstance(stream, httpx.AsyncByteStream) else b""
        return Answer(response.status_code, response.headers, body)

    async def _with_state(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "state": self._lifespan.state.copy()}, receive, send)
