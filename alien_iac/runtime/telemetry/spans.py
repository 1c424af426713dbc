"""Spans, and the W3C trace context that a command, a message or a call brings along and hands on."""

from __future__ import annotations

import re
import secrets
import time
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from alien_iac.runtime.telemetry.active import is_constant, sink

Kind = Literal["internal", "server", "client", "producer", "consumer"]
_PARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True)
class Trace:
    """Where a span is in its trace."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


_current: ContextVar[Trace | None] = ContextVar("alien_trace", default=None)


def current() -> Trace | None:
    """The span that the running code is in."""
    return _current.get()


def traceparent() -> str | None:
    """The header `traceparent` for a request that belongs to the current trace; None outside one."""
    found = _current.get()
    return found.traceparent if found else None


def parsed(header: str | None) -> Trace | None:
    """What a `traceparent` says; None for none, and for what is none."""
    found = _PARENT.fullmatch(header or "")
    return Trace(found[1], found[2], bool(int(found[3], 16) & 1)) if found else None


@dataclass
class Span:
    """Some work with a beginning and an end. Made by `span`, and recorded when its `with` block ends."""

    name: str
    kind: Kind = "internal"
    parent: Trace | None = None
    attributes: dict[str, object] = field(default_factory=dict)
    failed: str | None = None
    """The code of a failure that is not an exception."""
    trace: Trace | None = None
    _begun: int = 0
    _token: Token[Trace | None] | None = None

    def set(self, key: str, value: str | float | bool) -> None:  # noqa: FBT001 - a value like any other
        """Add an attribute. Below the level `full` only keys of the documented list leave."""
        self.attributes[key] = value

    def __enter__(self) -> Self:
        above = self.parent or _current.get()
        if above is None and sink() is None:
            return self
        trace_id, sampled = (above.trace_id, above.sampled) if above else (secrets.token_hex(16), True)
        self.parent, self.trace = above, Trace(trace_id, secrets.token_hex(8), sampled)
        self._token, self._begun = _current.set(self.trace), time.time_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is None or self.trace is None:
            return
        _current.reset(self._token)
        taker = sink()
        if taker is None or not self.trace.sampled:
            return
        taker.span(
            {
                "name": self.name,
                "kind": self.kind,
                "trace": self.trace,
                "parent": self.parent,
                "attributes": self.attributes,
                "failed": self.failed,
                "error": error,
                "begun": self._begun,
                "ended": time.time_ns(),
            }
        )


def span(name: str, attributes: dict[str, object] | None = None, *, kind: Kind = "internal") -> Span:
    """A span around a `with` block, child of the one it is in. Its name is a constant of the code that calls this."""
    return Span(name if is_constant(name, 1) else "", kind, attributes=dict(attributes or {}))
