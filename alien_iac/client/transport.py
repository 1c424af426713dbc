"""What the blocking and the async client share of HTTP: how a request is made, and what its answer means."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from alien_iac.client.failures import refused
from alien_iac.client.flows import HOLD_S, Ask
from alien_iac.errors import Unavailable

TIMEOUT = httpx.Timeout(10, read=HOLD_S + 10)
_PAUSES_S = (0.1, 0.3, 1.0, 2.0)


def base(url: str) -> str:
    """The control plane's address without a trailing slash."""
    return url.rstrip("/")


def request(url: str, token: str, ask: Ask) -> Mapping[str, Any]:
    """The keywords of httpx for a request. A signed URL carries its own right, so no token goes with it."""
    headers = {"authorization": f"Bearer {token}", **ask.headers} if ask.is_ours else dict(ask.headers)
    return {
        "method": ask.method,
        "url": f"{url}/v1{ask.url}" if ask.is_ours else ask.url,
        "json": ask.body,
        "content": ask.content,
        "params": ask.query or None,
        "headers": headers,
    }


def pauses() -> Iterator[float]:
    """Before each further try. Every request of ours may be sent again: what creates carries a key."""
    return iter(_PAUSES_S)


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is a good one. Raises Unavailable where trying again may help, and what else it stands for."""
    if answer.is_success:
        return answer
    raise refused(answer)


def silent(url: str, error: httpx.TransportError) -> Unavailable:
    """The error of a control plane that did not answer."""
    return Unavailable(
        f"the control plane at {url} does not answer ({type(error).__name__})", hint="check the address and the network"
    )
