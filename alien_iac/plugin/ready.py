"""Waiting until a process is ready: its supervisor says that it runs, and it answers where it should."""

import http.client
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from alien_iac.protocol.wire import Wire

POLL_S = 0.1
PROBE_S = 2.0
HOST = "127.0.0.1"
FAILED_STARTS = 4
"""So many starts that failed at once are enough to say that the next ones will."""

Probe = Callable[[], str | None]
"""Says why the process does not answer yet; None when it does."""


@dataclass(frozen=True)
class State:
    """A process as it is now. `status`: running, starting, failing (tried again later), stopping, or stopped.

    `failures`: so many starts in a row failed, the last one with `exit_status`.
    """

    status: str
    failures: int = 0
    exit_status: int = 0


class Health(Wire):
    """How a process shows that it is ready: a 2xx answer at `path`, an open port, or nothing beyond that it runs."""

    kind: Literal["http", "tcp", "none"] = "none"
    path: str = Field(default="/health", pattern="^/")


def wait(
    state: Callable[[], State | None], probe: Probe, *, timeout_s: float, cancelled: Callable[[float], bool]
) -> str | None:
    """Why the process did not get ready; None when it did. `cancelled` pauses, and says whether to give up."""
    deadline, reason = time.monotonic() + timeout_s, "it has not started"
    while time.monotonic() < deadline:
        now = state()
        if now is not None and now.status == "running":
            reason = probe() or ""
            if not reason:
                return None
        elif now is not None and now.failures:
            reason = f"it ended after its start, with exit status {now.exit_status}"
            if now.failures >= FAILED_STARTS:
                return f"it did not get ready in {now.failures} starts: {reason}"
        if cancelled(POLL_S):
            return "the update was cancelled before it was ready"
    return f"it was not ready after {timeout_s:.0f} s: {reason}"


def prober(health: Health, port: int | None) -> Probe:
    """The probe for this kind of health."""
    if health.kind == "none" or port is None:
        return lambda: None
    if health.kind == "tcp":
        return lambda: _tcp(port)
    return lambda: _http(port, health.path)


def _tcp(port: int) -> str | None:
    try:
        socket.create_connection((HOST, port), PROBE_S).close()
    except OSError as error:
        return f"nothing accepts connections on port {port} ({error.strerror or type(error).__name__})"
    return None


def _http(port: int, path: str) -> str | None:
    place = f"http://{HOST}:{port}{path}"
    connection = http.client.HTTPConnection(HOST, port, timeout=PROBE_S)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{place} does not answer ({getattr(error, 'strerror', None) or type(error).__name__})"
    finally:
        connection.close()
    return None if status // 100 == 2 else f"{place} answers {status}"  # noqa: PLR2004 - any success
