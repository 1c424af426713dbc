"""What is written down of each event that changed something: who, when, what, why."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from alien_iac.rollout.events import Acted, Audit, Event, Reported, Seen, Started, Superseded
from alien_iac.rollout.state import State
from alien_iac.rollout.summary import word


def audit(event: Event, after: State, now: datetime) -> Audit:
    """The line for an event that led to this state."""
    actor, what, reason = _LINES[event.kind](event)
    return Audit(at=now, actor=actor, what=what, reason=reason, state=word(after))


def _started(event: Started) -> tuple[str, str, str]:
    return event.actor, "started", event.reason


def _reported(event: Reported) -> tuple[str, str, str]:
    report = event.report
    return f"agent:{event.deployment_id}", f"{report.phase} (revision {report.revision})", report.reason


def _seen(event: Seen) -> tuple[str, str, str]:
    return f"agent:{event.deployment_id}", f"seen {event.health} on {event.release}", ""


def _acted(event: Acted) -> tuple[str, str, str]:
    where = f" {event.action.deployment_id}" if event.action.deployment_id else ""
    return event.actor, event.action.action + where, event.action.reason


def _superseded(event: Superseded) -> tuple[str, str, str]:
    return f"rollout:{event.by}", f"took over {len(event.deployment_ids)} deployment(s)", ""


_LINES: Mapping[str, Callable[[Any], tuple[str, str, str]]] = {
    "started": _started,
    "reported": _reported,
    "seen": _seen,
    "timer": lambda _event: ("timer", "due", ""),
    "acted": _acted,
    "superseded": _superseded,
}
