"""Ranges that every platform keeps to, of values that are more than a number in one argument."""

from collections.abc import Iterator

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import (
    DAY,
    MAX_RETENTION,
    MAX_TIMEOUT,
    Arguments,
    ContainerArguments,
    FunctionArguments,
    QueueArguments,
)
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac.models.units import parse_bytes, parse_seconds

MIN_MEMORY, MAX_MEMORY = 128 * 2**20, 32 * 2**30
MIN_RETENTION = 60


def check(stack: Stack) -> Iterator[Finding]:
    """Every component's ranges."""
    for component in stack.components:
        for message, hint in _wrong(component.arguments):
            yield finding("RANGE_INVALID", component.id, message, hint)


def _wrong(arguments: Arguments) -> Iterator[tuple[str, str]]:
    if isinstance(arguments, QueueArguments):
        yield from _retention(arguments.retention)
    if isinstance(arguments, FunctionArguments):
        yield from _memory(arguments.memory)
        if parse_seconds(arguments.timeout) > MAX_TIMEOUT:
            yield f'timeout "{arguments.timeout}" is too long', "at most 1h"
    if isinstance(arguments, ContainerArguments):
        yield from _memory(arguments.memory)
        scale = arguments.scale
        if scale and scale.min > scale.max:
            yield f"scale: min {scale.min} is more than max {scale.max}", "min is the smaller one"


def _retention(text: str) -> Iterator[tuple[str, str]]:
    if not MIN_RETENTION <= parse_seconds(text) <= MAX_RETENTION:
        yield f'retention "{text}" is out of range', f"from 1m to {MAX_RETENTION // DAY}d"


def _memory(text: str) -> Iterator[tuple[str, str]]:
    if not MIN_MEMORY <= parse_bytes(text) <= MAX_MEMORY:
        yield f'memory "{text}" is out of range', "from 128Mi to 32Gi"
