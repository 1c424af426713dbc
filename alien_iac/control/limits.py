"""How large a body may be, and the headers of every answer. Plain ASGI: a wrapper costs each held request memory."""

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON_LIMIT = 12 << 20
"""Bytes of a JSON body: published clients send parameters and results inline, whatever their size."""

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Limits:
    """Refuses bodies that are too large, except on `streamed` path prefixes, which count for themselves."""

    def __init__(self, app: ASGIApp, streamed: tuple[str, ...], strict_transport: bool) -> None:  # noqa: FBT001 - Starlette passes by name
        self._app = app
        self._streamed = streamed
        hsts = {"strict-transport-security": "max-age=31536000"} if strict_transport else {}
        self._headers = {**_HEADERS, **hsts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["path"].startswith(self._streamed):
            await self._app(scope, receive, sent)
        else:
            await self._limited(scope, receive, sent)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        left = JSON_LIMIT

        async def received() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, f"the body has more than {JSON_LIMIT} bytes")
            return message

        await self._app(scope, received, send)
