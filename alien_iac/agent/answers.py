"""HTTP answers of the control plane as errors of our tree, and which addresses an agent talks to at all."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from alien_iac import errors
from alien_iac.client.failures import body

_BY_STATUS: Mapping[int, type[errors.AlienError]] = {
    400: errors.InvalidInput,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Conflict,
    413: errors.InvalidInput,
    422: errors.InvalidInput,
}


def check(answer: httpx.Response) -> None:
    """Raises the error that an answer stands for; whatever may pass by itself is Unavailable."""
    if answer.is_success:
        return
    told = body(answer)
    kind = _BY_STATUS.get(answer.status_code, errors.Unavailable)
    message = str(told.get("message") or f"the control plane answered {answer.status_code}")
    raise kind(message, hint=str(told["hint"]) if told.get("hint") else None)


def silent(url: str, error: httpx.TransportError) -> errors.Unavailable:
    """The error for a control plane that does not answer."""
    return errors.Unavailable(
        f"the control plane at {url} does not answer ({type(error).__name__})",
        hint="check the address and the network; the agent keeps trying",
    )


def checked_url(url: str) -> str:
    """The address without a trailing slash. Raises InvalidInput for anything but https, or http on loopback."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url.rstrip("/")
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return url.rstrip("/")
    raise errors.InvalidInput(
        f'the control plane\'s address "{url}" is not an https:// URL', hint="http:// is for this machine alone"
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what must be equal for two URLs to be the same server."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme)
