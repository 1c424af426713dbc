"""Parameters and results of commands as they travel: inside the envelope, or beside it by a signed URL."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import httpx

from alien_iac.errors import Unavailable
from alien_iac.protocol import arc
from alien_iac.runtime.signatures import Rejected

INVALID_ENVELOPE = "INVALID_ENVELOPE"


def inline(data: bytes) -> arc.Inline:
    """Bytes inside a body."""
    return arc.Inline(inline_base64=base64.b64encode(data).decode())


class Bodies:
    """`base_url` is what relative URLs of an envelope count from: the exact URL of the lease. None: there is none.

    `http` gives the client, which most commands do without.
    """

    def __init__(self, http: Callable[[], httpx.AsyncClient], base_url: str | None = None) -> None:
        self._http = http
        self._base_url = base_url

    def resolve(self, url: str) -> str | None:
        """The absolute URL. None for a relative one that counts from nowhere."""
        if urlsplit(url).scheme:
            return url
        return urljoin(self._base_url, url) if self._base_url else None

    async def load(self, body: arc.Body) -> bytes:
        """The bytes of a command's parameters. Rejected where the body is wrong, Unavailable where it cannot be had."""
        if isinstance(body, arc.Inline):
            return _decoded(body.inline_base64)
        request = body.storage_get_request
        if request is None or self.resolve(request.backend.url) is None:
            raise Rejected(INVALID_ENVELOPE, "the parameters are stored, and no URL says where")
        return await self._send(request, b"")

    async def store(self, result: bytes, handling: arc.ResponseHandling) -> arc.Body:
        """A result as a body. One that is too large is put where the envelope says.

        Without a lease the result goes back to whoever handed the envelope over: the agent beside the workload, which
        takes it inline and puts it there itself, so that the workload needs no way out.
        """
        if len(result) <= handling.max_inline_bytes or self._base_url is None:
            return inline(result)
        await self._send(handling.storage_upload_request, result)
        return arc.Stored(size=len(result), storage_put_used=True)

    async def _send(self, request: arc.PresignedRequest, content: bytes) -> bytes:
        backend = request.backend
        try:
            answer = await self._http().request(
                backend.method, self.resolve(backend.url) or backend.url, headers=backend.headers, content=content
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"a command's stored body: no answer ({type(error).__name__})") from None
        if not answer.is_success:
            # The URL is a credential, so it is not quoted.
            raise Unavailable(f"a command's stored body: the {request.operation} was answered {answer.status_code}")
        return answer.content


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise Rejected(INVALID_ENVELOPE, "the parameters are not standard, padded base64")
    return data
