"""Connections that take too long to say what they want, or say too much, are closed: uvicorn itself waits for ever."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from alien_iac.control.limits import HEAD_LIMIT

HEAD_S = 20.0
"""Seconds from a connection's beginning, and from the first byte of each further request, to the end of its head."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose heads, and trailers, are bounded in time and bytes."""

    _late: asyncio.TimerHandle | None = None
    _beside = 0  # bytes since the last one of a body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type] # uvicorn narrows the type of its base
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._beside += len(data)
        super().data_received(data)
        if self._beside > HEAD_LIMIT and not self.transport.is_closing():
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._late is None:
            self._wait()

    def on_headers_complete(self) -> None:
        self._stop()
        self._beside = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._beside = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._beside = 0
        super().on_message_complete()

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEAD_S, self._close)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        self._late = None
        self.transport.close()
