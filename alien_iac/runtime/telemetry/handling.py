"""One delivery to a handler as a span and a measurement."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from alien_iac.runtime.telemetry import spans
from alien_iac.runtime.telemetry.instruments import SECONDS, Histogram

DURATION = Histogram("alien.handler.duration", "s", SECONDS)
_KINDS: dict[str, Literal["server", "consumer", "internal"]] = {"command": "server", "message": "consumer"}


class Outcome:
    """How it ended: `done`, or the code of a failure."""

    code = "done"


@contextmanager
def handled(kind: str, name: str, event_id: str, attempt: int, traceparent: str | None) -> Iterator[Outcome]:
    """Around the handler's run. The trace is the one that the event brought along, or a new one."""
    known: dict[str, object] = {"alien.kind": kind, "alien.handler": name}
    more = {"alien.event.id": event_id.rpartition(":")[2], "alien.attempt": attempt}
    # The name is made of the vendor's own declared name, which stands in their code.
    span = spans.Span(
        f"{kind} {name}".strip(), _KINDS.get(kind, "internal"), spans.parsed(traceparent), {**known, **more}
    )
    outcome, begun = Outcome(), time.monotonic()
    try:
        with span:
            yield outcome
            span.failed = None if outcome.code == "done" else outcome.code
            span.set("alien.outcome", outcome.code)
    finally:
        DURATION.record(time.monotonic() - begun, {**known, "alien.outcome": outcome.code})
