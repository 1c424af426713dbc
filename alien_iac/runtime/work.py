"""What a handler is given to do, and how it ended: the same for every event and every platform."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from alien_iac.runtime.handlers import Handler


@dataclass(frozen=True)
class Trace:
    """The trace that an event belongs to, in the words of W3C Trace Context."""

    traceparent: str
    tracestate: str | None = None


@dataclass(frozen=True, kw_only=True)
class Work:
    """One delivery of one event to one handler. An adapter makes it from what its platform sends."""

    handler: Handler
    id: str
    """The event's own id: the same each time it is delivered, so a handler can use it as an idempotency key."""
    payload: object
    """`bytes` of JSON for a command, `Payload` for a message, the key of an object, the instant of a schedule."""
    attempt: int = 1
    deadline: datetime | None = None
    trace: Trace | None = None


@dataclass(frozen=True)
class Payload:
    """A message as it was sent: `text` is JSON where `is_json`."""

    text: str
    is_json: bool
    trace: str | None = None
    """The `traceparent` of whoever sent it."""


@dataclass(frozen=True)
class Done:
    """The handler returned."""

    value: object


@dataclass(frozen=True)
class Failed:
    """It did not. `message` goes to whoever asked, so it holds nothing of the handler's data."""

    code: str
    message: str


Outcome = Done | Failed

_current: ContextVar[Work] = ContextVar("alien_work")


def current() -> Work:
    """The delivery that the calling handler works on: its `id`, `attempt` and `deadline`. LookupError outside one."""
    return _current.get()


def enter(work: Work) -> None:
    """Make this the current work of the running task or thread."""
    _current.set(work)
