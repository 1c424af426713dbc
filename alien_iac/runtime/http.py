"""HTTP of a workload: clients that use the customer's proxy, though never for this machine, and bounded bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from alien_iac.errors import InvalidInput

if TYPE_CHECKING:
    from starlette.requests import Request  # a Container that only leases commands needs no server


def async_client(timeout_seconds: float = 30) -> httpx.AsyncClient:
    """A client that honours HTTPS_PROXY and its kin for every host but this one."""
    direct = {f"all://{host}": httpx.AsyncHTTPTransport() for host in ("127.0.0.1", "localhost", "[::1]")}
    return httpx.AsyncClient(timeout=timeout_seconds, mounts=direct)


async def body_of(request: Request, limit: int) -> bytes:
    """A request's body. InvalidInput where it has more than `limit` bytes, of which no more are read."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise InvalidInput(f"the request's body is larger than {limit} bytes")
        parts.append(part)
    return b"".join(parts)
