"""Requests to the vendor's own ASGI app: each a span that goes on with its caller's trace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from alien_iac.runtime.telemetry import spans
from alien_iac.runtime.telemetry.process import FLUSH_SECONDS, Telemetry

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
_FAILED = 500


def traced(app: Asgi) -> Asgi:
    """The app, with a span around each HTTP request. Its path is told as the app's own route, where it says that."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        span = spans.Span("", "server", spans.parsed(_header(scope)), {"http.request.method": scope["method"]})

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                span.set("http.response.status_code", message["status"])
                span.failed = "HTTP" if message["status"] >= _FAILED else None
            await send(message)

        with span:
            try:
                await app(scope, receive, sent)
            finally:
                route = getattr(scope.get("route"), "path", None)
                span.attributes |= {"http.route": route} if isinstance(route, str) else {}

    return answer


def flushed(app: Asgi, telemetry: Telemetry) -> Asgi:
    """The app of a process that may be frozen once it has answered: it sends its telemetry first."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                await asyncio.to_thread(telemetry.flush, FLUSH_SECONDS)
            await send(message)

        await app(scope, receive, sent if scope["type"] == "http" else send)

    return answer


def _header(scope: Any) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)
