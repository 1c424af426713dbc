"""What depends on what, and in which order resources may be deleted. Pure."""

from collections.abc import Collection, Iterable, Sequence

from alien_iac.engine import urns
from alien_iac.engine.model import Resource


def dependencies(resource: Resource, *, parent: bool = True) -> set[str]:
    """URNs of all that must outlive a resource: dependencies, `deletedWith`, its provider, and its parent."""
    found = {*resource.dependencies, *(urn for some in resource.property_dependencies.values() for urn in some)}
    found |= {resource.deleted_with, *resource.rest.get("replaceWith", ())}
    if resource.provider:
        found.add(urns.referred(resource.provider)[0])
    if parent:
        found.add(resource.parent)
    return found - {""}


def dependents(
    roots: Collection[str], among: Iterable[Resource], *, children: bool, ignore: Collection[str] = ()
) -> list[Resource]:
    """All that depends on the roots, directly or not, in the order of the state (dependencies first).

    `children`: that a resource is the parent of another counts, too.
    """
    reached, found = set(roots), []
    for resource in among:
        if resource.urn in ignore or resource.urn in roots:
            continue
        if dependencies(resource, parent=children) & reached:
            reached.add(resource.urn)
            found.append(resource)
    return found


def requirements(roots: Collection[str], among: Sequence[Resource]) -> set[str]:
    """The roots and all that they depend on."""
    reached = set(roots)
    for resource in reversed(among):
        if resource.urn in reached:
            reached |= dependencies(resource)
    return reached


def waves(condemned: Sequence[Resource]) -> list[list[Resource]]:
    """Groups to delete one after the other; what is inside one may go at once. Dependents go first."""
    remaining, groups = [(r, dependencies(r)) for r in condemned], []
    while remaining:
        here = {r.urn for r, _ in remaining}
        free = [r for r, needs in remaining if not needs & here] or [remaining[0][0]]
        groups.append(free)
        remaining = [(r, needs) for r, needs in remaining if not any(r is gone for gone in free)]
    return groups[::-1]
