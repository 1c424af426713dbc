"""Refresh: reads every resource from its provider and puts what is there into the state."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from alien_iac.engine import deletes, urns, values
from alien_iac.engine.events import Events
from alien_iac.engine.model import Request, Resource
from alien_iac.engine.providers import Diff, Live, Provider, ProviderFailed
from alien_iac.engine.steps import Step


def chosen(request: Request, resources: Sequence[Resource]) -> list[Resource]:
    """The resources that a refresh reads, by `--target` and `--exclude`."""
    targets, excludes = urns.Targets(request.targets), urns.Targets(request.excludes)
    reached = {r.urn for r in resources if r.urn in (targets or excludes)}
    if request.target_dependents if targets else request.exclude_dependents:
        reached |= {r.urn for r in deletes.dependents(set(reached), resources, children=True)}
    if targets:
        return [r for r in resources if r.urn in reached]
    return [r for r in resources if r.urn not in reached]


def is_inert(resource: Resource) -> bool:
    """Whether a refresh never changes a resource: components, providers, and halves of replacements."""
    return not resource.custom or urns.is_provider(resource.type) or resource.pending_replacement


class Refresher:
    """Reads resources. `results`: by identity of the old resource, what there is now (None: it is gone)."""

    def __init__(self, provider: Callable[[Resource], Provider], events: Events) -> None:
        self._provider, self._events = provider, events
        self._results: dict[int, tuple[Resource, Resource | None]] = {}

    def read(self, old: Resource) -> Step:
        """Read one resource. The step's `new` is None if it is gone. Raises ProviderFailed."""
        new, diff = (old, Diff(changes=False)) if is_inert(old) else self._read(old)
        self._results[id(old)] = (old, new)
        return Step(op="refresh", old=old, new=new, diff=diff)

    def _read(self, old: Resource) -> tuple[Resource | None, Diff]:
        provider = self._provider(old)
        try:
            live = provider.read(old)
        except ProviderFailed as error:
            if error.partial is None:
                raise
            live = error.partial
            listed = "\n* ".join(live.init_errors)
            self._events.diagnostic("warning", f"Refreshed resource is in an unhealthy state:\n* {listed}", old.urn)
        if not live.id:
            return None, Diff(changes=True)
        new = _after(old, live)
        if old.external:
            return new, Diff(changes=dict(old.outputs) != dict(new.outputs))
        diff = provider.diff(new, old.inputs, old.ignore_changes)
        if diff.changes is None:
            diff = replace(diff, changes=bool(values.changed_keys(new.inputs, old.inputs)))
        return new, diff

    def apply(self, resources: Sequence[Resource]) -> list[Resource]:
        """The resources as they were read, without what is gone and without references to it."""
        return rebuilt([self._now(r) for r in resources])

    def _now(self, old: Resource) -> tuple[Resource, Resource | None]:
        return self._results.get(id(old), (old, old))


def result_op(step: Step) -> str:
    """What a refresh found: `same`, `update` or `delete`."""
    if step.new is None:
        return "delete"
    return "update" if step.diff.changes else "same"


def rebuilt(pairs: Sequence[tuple[Resource, Resource | None]]) -> list[Resource]:
    """What is left, with dependencies on what is gone taken out and orphans given to their grandparents."""
    there: set[str] = set()
    above: dict[str, str] = {}
    left: list[Resource] = []
    for old, new in pairs:
        parent = old.parent if old.parent in there else above.get(old.parent, "")
        if new is None:
            if old.urn not in there:
                above[old.urn] = parent
            continue
        kept = _only(new, there, parent)
        there.add(kept.urn)
        left.append(kept)
    return left


def _only(resource: Resource, there: set[str], parent: str) -> Resource:
    per_key = {k: tuple(u for u in v if u in there) for k, v in resource.property_dependencies.items()}
    return replace(
        resource,
        parent=parent,
        dependencies=tuple(u for u in resource.dependencies if u in there),
        property_dependencies={k: v for k, v in per_key.items() if v},
        deleted_with=resource.deleted_with if resource.deleted_with in there else "",
    )


def _after(old: Resource, live: Live) -> Resource:
    inputs = old.inputs if live.inputs is None else live.inputs
    outputs = values.sealed(live.outputs, inputs, old.additional_secret_outputs)
    return replace(old, id=live.id, inputs=inputs, outputs=outputs, init_errors=live.init_errors)
