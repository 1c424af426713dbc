"""All checks of a stack, and all their findings at once."""

from collections.abc import Callable, Iterable

from alien_iac.checks import (
    commands,
    duplicates,
    environment,
    limits,
    links,
    names,
    references,
    schedules,
    sources,
    support,
    triggers,
    volumes,
    workloads,
)
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding

CHECKS: tuple[Callable[[Stack], Iterable[Finding]], ...] = (
    names.check,
    duplicates.check,
    workloads.check,
    commands.check,
    limits.check,
    environment.check,
    volumes.check,
    links.check,
    links.check_targets,
    references.check,
    triggers.check,
    schedules.check,
    sources.check,
    support.check,
)


def check(stack: Stack) -> tuple[Finding, ...]:
    """Everything that is to be said about the stack, each thing once, component by component as they were declared."""
    read = (finding for component in stack.components for finding in component.findings)
    found = dict.fromkeys([*read, *(finding for each in CHECKS for finding in each(stack))])
    order = {component.id: place for place, component in enumerate(stack.components)}
    return tuple(sorted(found, key=lambda finding: order.get(finding.resource, -1)))
