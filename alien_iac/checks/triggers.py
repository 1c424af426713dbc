"""Triggers: no Function is started twice by one event, and a queue has one way out."""

from collections.abc import Iterator

from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Declared, Stack
from alien_iac.models.finding import Finding
from alien_iac.models.triggers import CreatedTrigger, QueueTrigger


def check(stack: Stack) -> Iterator[Finding]:
    """Every trigger, and every queue's consumers."""
    for component in stack.components:
        yield from _duplicates(component)
        yield from _unread(component)
    for component in stack.components:
        if component.kind == "Queue":
            yield from _consumers(stack, component.id)


def _duplicates(component: Declared) -> Iterator[Finding]:
    seen = set()
    for trigger in component.triggers:
        if trigger in seen:
            what = " ".join(str(value) for value in trigger.model_dump().values())
            yield finding("TRIGGER_DUPLICATE", component.id, f"it has the trigger {what} twice", "keep one")
        seen.add(trigger)


def _unread(component: Declared) -> Iterator[Finding]:
    linked = {link.resource for link in component.links}
    for trigger in component.triggers:
        if isinstance(trigger, CreatedTrigger) and trigger.resource not in linked:
            message = f'it hears of new objects in "{trigger.resource}" and may not read them'
            yield finding("TRIGGER_NOT_LINKED", component.id, message, f"link it to {trigger.resource}.reader()")


def _consumers(stack: Stack, queue: str) -> Iterator[Finding]:
    pushed = [c.id for c in stack.components if QueueTrigger(resource=queue) in c.triggers]
    pulled = [c.id for c in stack.components for link in c.links if link.resource == queue and link.verb == "consume"]
    if len(pushed) > 1 or (pushed and pulled):
        message = f"its messages would be shared out among {', '.join([*pushed, *pulled])}"
        hint = "one Function has its on_message() trigger, or workloads pull it with consumer()"
        yield finding("QUEUE_CONSUMERS", queue, message, hint)
