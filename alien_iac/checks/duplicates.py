"""One id, one component: bindings, physical names and commands go by the id alone, whatever the kind or the parent."""

from collections.abc import Iterator

from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding


def check(stack: Stack) -> Iterator[Finding]:
    """Every id that more than one component has, once."""
    kinds: dict[str, list[str]] = {}
    for component in stack.components:
        kinds.setdefault(component.id, []).append(component.kind)
    for resource_id, having in kinds.items():
        if len(having) > 1:
            message = f"{len(having)} components have this id ({', '.join(having)})"
            yield finding("ID_DUPLICATE", resource_id, message, "give each an id of its own")
