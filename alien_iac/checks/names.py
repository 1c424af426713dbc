"""Ids: their form, their length, and those that the platform needs for itself."""

from collections.abc import Iterator

from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac.models.names import MAX_ID, is_id


def check(stack: Stack) -> Iterator[Finding]:
    """Every component's id."""
    for component in stack.components:
        if not is_id(component.id):
            rule = "an id is lower-case letters, digits and single hyphens, with no hyphen first or last"
            yield finding("ID_INVALID", component.id, f'"{component.id}" is not an id', rule)
        if len(component.id) > MAX_ID:
            message = f"the id has {len(component.id)} characters"
            yield finding("ID_TOO_LONG", component.id, message, f"at most {MAX_ID}")
        if component.id in stack.support.reserved:
            yield finding("ID_RESERVED", component.id, "the platform uses this id itself", "choose another one")
