"""What a request may be in bytes and seconds, and the headers of every answer.

Plain ASGI: a wrapper costs each held request memory.
"""

import asyncio
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON_LIMIT = 12 << 20
"""Bytes of a JSON body: published clients send parameters and results inline, whatever their size."""

HEAD_LIMIT = 32 << 10
"""Bytes of all of a request's headers, or of its path and query."""
MOST_HEADERS = 100
RETRY_S = "1"
BODY_S = 120.0
"""Seconds in which a JSON body must have come."""

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_TOO_LONG = {
    "code": "INVALID_INPUT",
    "message": f"the headers or the URL are too long: {HEAD_LIMIT} bytes and {MOST_HEADERS} headers are taken",
    "retryable": False,
    "internal": False,
    "httpStatusCode": 431,
}


class Limits:
    """Refuses heads and bodies that are too large, except on `streamed` path prefixes, which count for themselves.

    `ending`: whether the server is to end; then every answer says to come back, to another instance if there is one.
    """

    def __init__(
        self,
        app: ASGIApp,
        streamed: tuple[str, ...],
        strict_transport: bool,  # noqa: FBT001 - Starlette passes by name
        ending: Callable[[], bool],
    ) -> None:
        self._app = app
        self._ending = ending
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
                if self._ending():
                    headers.setdefault("retry-after", RETRY_S)
            await send(message)

        if _is_long(scope):
            await JSONResponse(_TOO_LONG, status_code=431)(scope, receive, sent)
        elif scope["path"].startswith(self._streamed):
            await self._app(scope, receive, sent)
        else:
            await self._limited(scope, receive, sent)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        left, more, end = JSON_LIMIT, True, asyncio.get_running_loop().time() + BODY_S

        async def received() -> Message:
            nonlocal left, more
            message = await _in_time(receive, end) if more else await receive()
            more = bool(message.get("more_body"))
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, f"the body has more than {JSON_LIMIT} bytes")
            return message

        await self._app(scope, received, send)


def _is_long(scope: Scope) -> bool:
    headers = scope["headers"]
    size = sum(len(name) + len(value) for name, value in headers)
    url = len(scope["path"]) + len(scope["query_string"])
    return len(headers) > MOST_HEADERS or max(size, url) > HEAD_LIMIT


async def _in_time(receive: Receive, end: float) -> Message:
    try:
        async with asyncio.timeout_at(end):
            return await receive()
    except TimeoutError as error:
        raise HTTPException(408, "the body did not come in time") from error
