"""Storage and queues: what is rounded, and how Pub/Sub counts."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import DAY, QueueArguments, StorageArguments
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac.models.triggers import CreatedTrigger
from alien_iac.models.units import parse_seconds

MIN_RETENTION_S = 600
MAX_NOTICES = 10
"""What one bucket may have for the same kind of event."""


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every storage and every queue."""
    for component in stack.components:
        if isinstance(component.arguments, StorageArguments):
            yield from _expiry(component.id, component.arguments)
            yield from _notices(stack, component.id)
        if isinstance(component.arguments, QueueArguments):
            yield from _queue(component.id, component.arguments)


def _expiry(resource: str, arguments: StorageArguments) -> Iterator[Finding]:
    seconds = parse_seconds(arguments.expire_after) if arguments.expire_after else 0
    if seconds % DAY:
        message = f'expire_after "{arguments.expire_after}" is {-(-seconds // DAY)}d: Cloud Storage counts whole days'
        yield finding("GCP_ROUNDED", resource, message)


def _notices(stack: Stack, resource: str) -> Iterator[Finding]:
    hearing = [c.id for c in stack.components if CreatedTrigger(resource=resource) in c.triggers]
    if len(hearing) > MAX_NOTICES:
        message = f"{len(hearing)} Functions are to hear of its new objects, and a bucket tells {MAX_NOTICES}"
        yield finding("GCP_LIMIT", resource, message, "let one Function hear of them, and send on over a Queue")


def _queue(resource: str, arguments: QueueArguments) -> Iterator[Finding]:
    if parse_seconds(arguments.retention) < MIN_RETENTION_S:
        message = f'retention "{arguments.retention}" is 10m: Pub/Sub keeps a message no shorter'
        yield finding("GCP_ROUNDED", resource, message)
    message = f"Pub/Sub counts approximately: a dead letter may have had a few more than {arguments.max_receives}"
    yield finding("GCP_RECEIVES", resource, message)
