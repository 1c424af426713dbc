"""What a platform's builder gets and gives: one component of a checked stack in, native resources out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import pulumi

from alien_iac.models.arguments import Kind
from alien_iac.models.declared import Declared, Stack
from alien_iac.protocol.outputs import Kept, Workload
from alien_iac.resources.deployment import Deployment
from alien_iac.resources.surroundings import Packaged

Transform = Callable[[dict[str, Any], pulumi.ResourceOptions], tuple[dict[str, Any], pulumi.ResourceOptions]]
"""Takes a native resource's properties (the keywords of its class) and options, and returns both, changed or not."""
R = TypeVar("R", bound=pulumi.Resource)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a workload may do to a resource, as the review tells it: in words by `verb`, and as the exact policy."""

    workload: str
    resource: str
    """The id of a component, or of a shared or existing thing such as `alien:network`."""
    verb: str
    policy: "pulumi.Input[Any]"
    """The policy document, role binding or role assignment, as it is made."""


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """Who can reach a resource. `from_`: `internet`, `deployment`, `agent`, or the id of a workload."""

    resource: str
    from_: str
    how: str


@dataclass(frozen=True, kw_only=True)
class Built:
    """A component as a platform built it."""

    outputs: Mapping[str, Any] = field(default_factory=dict)
    """What the component registers and hands out: plain values and Outputs."""
    native: Mapping[str, Any] = field(default_factory=dict)
    """Role to the native resource, or to a list of them."""
    needed: tuple[pulumi.Resource, ...] = ()
    """What has to be there before whoever is linked to this component starts."""
    workload: "pulumi.Input[Workload] | None" = None
    kept: tuple[Kept, ...] = ()
    secret: str | None = None
    """Where a Secret's value is set."""
    grants: tuple[Grant, ...] = ()
    exposure: tuple[Exposure, ...] = ()
    idle: Mapping[str, str] = field(default_factory=dict)
    """What costs money while nothing happens, and about how much a month."""


class Recorded(Protocol):
    """A component, as the planner sees it."""

    @property
    def resource_id(self) -> str: ...

    @property
    def given(self) -> Mapping[str, Any]:
        """The arguments as the author gave them, with their Outputs."""
        ...

    @property
    def transforms(self) -> Mapping[str, Transform]: ...

    @property
    def options(self) -> pulumi.ResourceOptions | None: ...

    @property
    def kind(self) -> Kind: ...

    @property
    def declared(self) -> Declared: ...

    def keep(self, built: Built) -> None: ...

    def refuse(self, reason: BaseException) -> None: ...

    def settle(self, image: str) -> None: ...


class Shared(Protocol):
    """Native resources of the Foundation, and the pinned provider."""

    def provider(self) -> pulumi.ProviderResource: ...

    def shared(self, make: Callable[..., R], name: str, props: Mapping[str, Any]) -> R:
        """The shared resource of this name, made at the first call."""
        ...


@dataclass(frozen=True, kw_only=True)
class Context:
    """One component of a stack that passed its checks."""

    deployment: Deployment
    stack: Stack
    declared: Declared
    component: Any
    """The Pulumi component that parents what is made."""
    recorded: Recorded
    shared: Shared
    artifact: Packaged | None
    """The packaged source of a workload that has one."""
    needed: tuple[pulumi.Resource, ...] = ()
    """What it is linked to, and has to be there first."""
    built: Mapping[str, Built] = field(default_factory=dict)
    """The components that are built already, by id: data before workloads, and Functions before Containers."""

    @property
    def linked(self) -> tuple[Declared, ...]:
        """The components that this one gets a binding for: linked to, or watched by a trigger."""
        ids = [*(link.resource for link in self.declared.links), *self.declared.trigger_resources]
        found = (self.stack.find(resource_id) for resource_id in dict.fromkeys(ids))
        return tuple(component for component in found if component is not None)

    @property
    def consumers(self) -> tuple[Declared, ...]:
        """The workloads that take messages from this queue."""
        return tuple(
            c
            for c in self.stack.components
            if self.declared.id in c.trigger_resources
            or any(link.resource == self.declared.id and link.verb == "consume" for link in c.links)
        )

    @property
    def keeps(self) -> bool:
        """Whether the component's data outlives it: as `alien:retain` says, unless its author does."""
        said = self.recorded.options.retain_on_delete if self.recorded.options else None
        return self.deployment.config.retain if said is None else said

    def native_of(self, resource_id: str, role: str) -> pulumi.Output[Any]:
        """A native resource of another component, which may be built after this one.

        Components are built in one go, so what is awaited here runs when all of them are.
        """

        async def when_built() -> Any:
            return self.built[resource_id].native[role]

        return pulumi.Output.from_input(when_built())

    def native(
        self, role: str, make: Callable[..., R], props: Mapping[str, Any], *, suffix: str = "", kept: bool = False
    ) -> R:
        """Make a native resource under the component, with the author's options and transform.

        Its logical name is the component's, with `suffix` where it is not the only one. `kept`: it holds data, and is
        protected and outlives the stack unless the author or `alien:retain` says otherwise.
        """
        name = f"{self.declared.id}-{suffix}" if suffix else self.declared.id
        given, opts = dict(props), self._options(kept=kept)
        transform = self.recorded.transforms.get(role)
        if transform:
            given, opts = self._transformed(role, transform, given, opts)
        return make(name, opts=opts, **given)

    def _options(self, *, kept: bool) -> pulumi.ResourceOptions:
        provider = self.shared.provider()
        author = self.recorded.options or pulumi.ResourceOptions()
        theirs = self.component.get_provider(f"{provider.package}:index:Any")
        retain = kept and self.deployment.config.retain
        return pulumi.ResourceOptions(
            parent=self.component,
            provider=theirs or provider,
            protect=retain if author.protect is None else author.protect,
            retain_on_delete=retain if author.retain_on_delete is None else author.retain_on_delete,
            ignore_changes=author.ignore_changes,
            depends_on=_depends_on(author.depends_on, self.needed),
        )

    def _transformed(
        self, role: str, transform: Transform, props: dict[str, Any], opts: pulumi.ResourceOptions
    ) -> tuple[dict[str, Any], pulumi.ResourceOptions]:
        try:
            changed, options = transform(props, opts)
        except Exception as error:
            message = f"{self.declared.id}: the transform of {role} raised {type(error).__name__}: {error}"
            raise pulumi.RunError(message) from error
        return changed, options

    def waiting_for(self, resources: Iterable[pulumi.Resource]) -> "Context":
        """The same for a native resource that waits for these too."""
        return replace(self, needed=(*self.needed, *resources))


def _depends_on(author: Any, needed: tuple[pulumi.Resource, ...]) -> Any:
    if author is None:
        return list(needed)
    if isinstance(author, list | tuple):
        return [*author, *needed]
    return (
        [author, *needed]
        if isinstance(author, pulumi.Resource)
        else pulumi.Output.from_input(author).apply(
            lambda resources: [*(resources if isinstance(resources, list | tuple) else [resources]), *needed]
        )
    )
