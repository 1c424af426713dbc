"""Links: who may be linked, to what, and with one verb each."""

from collections import Counter
from collections.abc import Iterator

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Declared, Stack
from alien_iac.models.finding import Finding
from alien_iac.models.links import Link


def check(stack: Stack) -> Iterator[Finding]:
    """Every link of every component."""
    for component in stack.components:
        if component.links and component.workload is None:
            message = f"a {component.kind} runs no code and cannot use what it is linked to"
            yield finding("LINK_DATA", component.id, message, "link the workload to it instead")
            continue
        yield from _twice(component)
        for link in component.links:
            yield from _one(component, link)


def _twice(component: Declared) -> Iterator[Finding]:
    verbs = Counter(link.resource for link in component.links)
    for resource, count in verbs.items():
        if count > 1:
            having = ", ".join(link.verb for link in component.links if link.resource == resource)
            message = f'it is linked to "{resource}" {count} times ({having})'
            yield finding("LINK_TWICE", component.id, message, "a link grants exactly one verb; keep one")


def _one(component: Declared, link: Link) -> Iterator[Finding]:
    if link.resource == component.id:
        yield finding("LINK_SELF", component.id, "it is linked to itself", "take the link out")


def check_targets(stack: Stack) -> Iterator[Finding]:
    """Whether a Container that is called listens at all."""
    for component in stack.components:
        for link in component.links:
            target = stack.find(link.resource)
            if target and isinstance(target.arguments, ContainerArguments) and target.arguments.port is None:
                message = f'it calls "{target.id}", which listens on no port'
                yield finding("LINK_NO_PORT", component.id, message, f'give "{target.id}" a port')
