"""Which resources a deletion before a replacement drags along, and what providers say of a change."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from alien_iac.engine import deletes, steps, urns, values
from alien_iac.engine.model import UNKNOWN, Properties, Resource
from alien_iac.engine.providers import Diff, Provider
from alien_iac.engine.registry import Registry


@dataclass(frozen=True)
class Dependents:
    """Asks providers what would become of a resource's dependents."""

    registry: Registry
    provider: Callable[[Resource], Provider]

    def forced(self, root: Resource, among: Sequence[Resource], *, ignore: Collection[str]) -> list[Resource]:
        """The resources that must be replaced if `root` is deleted and made again, dependencies first.

        `among` is in the order of the state; `ignore`: they were registered already, so they do not depend on it.
        """
        forced = {root.urn}
        for resource in deletes.dependents({root.urn}, among, children=False, ignore=ignore):
            if self._is_forced(resource, forced):
                forced.add(resource.urn)
        for resource in among:
            if resource.deleted_with == root.urn or root.urn in resource.rest.get("replaceWith", ()):
                forced.add(resource.urn)
        return [r for r in among if r.urn in forced - {root.urn} and r.urn not in ignore]

    def _is_forced(self, resource: Resource, forced: set[str]) -> bool:
        """Whether a resource is replaced once inputs that come from replaced ones are not known any more."""
        if not resource.custom or resource.external:
            return False
        if resource.deleted_with in forced or urns.referred(resource.provider)[0] in forced:
            return True
        unsure = {k for k, needs in resource.property_dependencies.items() if forced & set(needs)}
        if not unsure & set(resource.inputs):
            return False
        inputs = {k: UNKNOWN if k in unsure else v for k, v in resource.inputs.items()}
        diff = self.diff(resource, resource, inputs)
        paths = resource.rest.get("replaceOnChanges", ())
        return bool(steps.with_replace_on_changes(diff, paths, init_errors=False).replaces)

    def diff(self, old: Resource, new: Resource, inputs: Properties) -> Diff:
        """What a provider says of other inputs. Where it cannot tell, the inputs are compared."""
        if urns.is_provider(new.type):
            return self.registry.diff(old, new.urn, inputs)
        diff = self.provider(new).diff(old, inputs, new.ignore_changes)
        if diff.changes is not None:
            return diff
        changed = tuple(values.changed_keys(old.inputs, inputs))
        return replace(diff, changes=bool(changed), changed=changed)
