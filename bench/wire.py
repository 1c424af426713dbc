"""The lightest HTTP client that does: on two cores a heavier one would measure itself.

One connection kept alive, one request at a time, JSON in and out, answers with a Content-Length.
"""

import asyncio
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit


class Wire:
    """A connection to a server on loopback, made at the first request."""

    def __init__(self, url: str, token: str = "") -> None:
        self._address = urlsplit(url)
        self._headers = f"authorization: Bearer {token}\r\n" if token else ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection; the next request makes another."""
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON, None for an empty one. ConnectionError when it breaks, ValueError for a refusal."""
        reader, writer = self._streams = self._streams or await self._connect()
        content = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\nhost: {self._address.netloc}\r\n{self._headers}"
        kind = "content-type: application/json\r\n" if content else ""
        writer.write(f"{head}{kind}content-length: {len(content)}\r\n\r\n".encode() + content)
        status, answer = await _answer(reader)
        if status >= 300:  # noqa: PLR2004 - HTTP's own number
            raise ValueError(f"{method} {path}: {status} {answer.decode(errors='replace')}")
        return json.loads(answer) if answer else None

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._address.hostname, self._address.port)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        return int(head.split(" ", 2)[1]), await reader.readexactly(int(fields.get("content-length", "0")))
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the server closed the connection") from error
