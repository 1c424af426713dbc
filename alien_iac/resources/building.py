"""Builds the components of a stack that passed its checks, through the platform's package."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pulumi

from alien_iac import platforms
from alien_iac.models.arguments import Kind
from alien_iac.models.declared import Declared, Stack
from alien_iac.protocol.outputs import DeploymentOutputs, Workload
from alien_iac.resources.context import Built, Context, R, Recorded
from alien_iac.resources.deployment import Deployment
from alien_iac.resources.environment import token_secret
from alien_iac.resources.foundation import Foundation
from alien_iac.resources.plugin import PACKAGE, AlienProvider
from alien_iac.resources.surroundings import Packaged

ORDER: tuple[Kind, ...] = ("Storage", "Kv", "Queue", "Secret", "Function", "Container")
"""Data first: a workload waits for what it is linked to."""


class Site:
    """The pinned provider and what components share, each made when it is first needed."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._provider: pulumi.ProviderResource | None = None
        self._plugin: pulumi.ProviderResource | None = None
        self._foundation: Foundation | None = None
        self._shared: dict[str, Any] = {}

    def provider(self) -> pulumi.ProviderResource:
        if self._provider is None:
            self._provider = platforms.load(self._deployment.platform, "Provider")(self._deployment)
        return self._provider

    def plugin(self) -> pulumi.ProviderResource:
        """The provider of our own plugin, which on `local` is the pinned one."""
        if self._plugin is None:
            pinned = self.provider()
            self._plugin = pinned if pinned.package == PACKAGE else AlienProvider(PACKAGE)
        return self._plugin

    def shared(self, make: Callable[..., R], name: str, props: Mapping[str, Any]) -> R:
        """The shared resource of this name, made at the first call."""
        if self._foundation is None:
            self._foundation = Foundation()
        if name not in self._shared:
            opts = pulumi.ResourceOptions(parent=self._foundation, provider=self.provider())
            self._shared[name] = make(name, opts=opts, **props)
        made: R = self._shared[name]
        return made

    def close(self) -> None:
        """All that is shared is there."""
        if self._foundation is not None:
            self._foundation.register_outputs({})


@dataclass(frozen=True)
class Builder:
    """Builds components one by one; what is built already is known to those that are linked to it."""

    deployment: Deployment
    site: Site
    built: dict[str, Built]

    def build_all(self, recorded: Iterable[Recorded], stack: Stack, artifacts: Mapping[str, Packaged]) -> None:
        """Build all of them, data first."""
        for component in sorted(recorded, key=lambda r: ORDER.index(r.kind)):
            self.build(component, stack, artifacts)
        self.site.close()

    def build(self, recorded: Recorded, stack: Stack, artifacts: Mapping[str, Packaged]) -> None:
        """Build one component and hand out its outputs."""
        declared = recorded.declared
        context = Context(
            deployment=self.deployment,
            stack=stack,
            declared=declared,
            component=recorded,
            recorded=recorded,
            shared=self.site,
            artifact=artifacts.get(declared.id),
            needed=self._needed(declared),
            built=self.built,
        )
        built: Built = platforms.load(self.deployment.platform, declared.kind)(context)
        if recorded.options and recorded.options.retain_on_delete is False:
            built = replace(built, kept=())
        self.built[declared.id] = built
        recorded.keep(built)

    def outputs(self, stack: Stack) -> pulumi.Output[dict[str, object]]:
        """The stack output that the agent and the command line read."""
        built = self.built.values()
        kept = tuple(place for each in built for place in each.kept)
        tokens = {component.id: token_secret(component) for component in stack.components}
        secrets = {resource: each.secret for resource, each in self.built.items() if each.secret is not None}
        frozen = tuple(component.id for component in stack.components if component.arguments.frozen)

        def told(workloads: list[Workload]) -> dict[str, object]:
            return DeploymentOutputs(
                platform=self.deployment.platform.value,
                workloads=tuple(w.model_copy(update={"token_secret": tokens.get(w.id)}) for w in workloads),
                kept=kept,
                secrets=secrets,
                frozen=frozen,
            ).dump()

        return pulumi.Output.all(*(each.workload for each in built if each.workload is not None)).apply(told)

    def _needed(self, declared: Declared) -> tuple[pulumi.Resource, ...]:
        ids = [*(link.resource for link in declared.links), *declared.trigger_resources]
        return tuple(r for i in dict.fromkeys(ids) if i in self.built for r in self.built[i].needed)
