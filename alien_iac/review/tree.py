"""The resources of a review by the component that they belong to."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alien_iac.review.model import Resource, Review

COMPONENTS = "alien:index:"
_NATIVE = frozenset({"alien:index:Artifact", "alien:index:Image"})
WORKLOADS = ("Function", "Container")
DATA = ("Storage", "Kv", "Queue", "Secret")


@dataclass(frozen=True, kw_only=True)
class Component:
    """A component with everything below it. `kind` is `Storage`, …, `Foundation`, or empty for what has none above."""

    name: str
    kind: str
    natives: tuple[Resource, ...]

    @property
    def counted(self) -> Mapping[str, int]:
        """How many there are of each type, by its short name (`s3.Bucket`), in their order."""
        return Counter(short(resource.type) for resource in self.natives)


def is_component(resource: Resource) -> bool:
    """Whether it is one of our components, and not a resource of our plugin."""
    return resource.type.startswith(COMPONENTS) and resource.type not in _NATIVE


def short(kind: str) -> str:
    """A type token as people write it: `aws:s3/bucket:Bucket` is `s3.Bucket`."""
    package, _, rest = kind.partition(":")
    module, _, name = rest.rpartition(":")
    module = module.partition("/")[0]
    return f"{package if module in {'index', ''} else module}.{name}"


def components(review: Review) -> tuple[Component, ...]:
    """All components in the order of kinds, and last the resources without one. Providers are left out."""
    known = {resource.urn: resource for resource in review.resources}
    owned: dict[str, list[Resource]] = {urn: [] for urn, resource in known.items() if is_component(resource)}
    loose: list[Resource] = []
    for resource in review.resources:
        if is_component(resource) or resource.type.startswith("pulumi:"):
            continue
        owned.get(_owner(resource, known), loose).append(resource)
    order = (*WORKLOADS, *DATA, "Foundation")
    found = [
        Component(name=known[urn].name, kind=known[urn].type.removeprefix(COMPONENTS), natives=_sorted(natives))
        for urn, natives in owned.items()
    ]
    found.sort(key=lambda c: (order.index(c.kind) if c.kind in order else len(order), c.name))
    beside = [Component(name="beside the components", kind="", natives=_sorted(loose))] if loose else []
    return (*found, *beside)


def _owner(resource: Resource, known: Mapping[str, Resource]) -> str:
    """The URN of the nearest component above; empty where there is none."""
    above = known.get(resource.parent)
    while above is not None and not is_component(above):
        above = known.get(above.parent)
    return above.urn if above else ""


def _sorted(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    return tuple(sorted(resources, key=lambda r: (r.type, r.name)))
