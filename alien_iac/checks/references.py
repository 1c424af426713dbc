"""What links and triggers lead to is in this stack, and of the right kind."""

from collections.abc import Iterator

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import Kind
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac.models.triggers import CreatedTrigger, QueueTrigger


def check(stack: Stack) -> Iterator[Finding]:
    """Every link and trigger of every component."""
    for component in stack.components:
        for link in component.links:
            if reason := _missing(stack, link.resource, link.kind):
                yield finding("LINK_UNKNOWN", component.id, f"its link: {reason}", _HINT)
        for trigger in component.triggers:
            if isinstance(trigger, QueueTrigger | CreatedTrigger):
                kind: Kind = "Queue" if isinstance(trigger, QueueTrigger) else "Storage"
                if reason := _missing(stack, trigger.resource, kind):
                    yield finding("TRIGGER_UNKNOWN", component.id, f"its trigger: {reason}", _HINT)


_HINT = "declare it in the same stack program"


def _missing(stack: Stack, resource: str, kind: Kind) -> str:
    target = stack.find(resource)
    if target is None:
        return f'this stack has no {kind} "{resource}"'
    return "" if target.kind == kind else f'"{resource}" is a {target.kind}, not a {kind}'
