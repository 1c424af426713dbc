"""What the components of a deployment share, beginning with the resource group that all of them are in.

Shared resources have no options of their own, so those that wait for another one, or hold data, are made through
`after` and `keeping`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import pulumi
from pulumi_azure_native.resources import ResourceGroup

from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Stack
from alien_iac.resources.context import Context
from alien_iac_azure import naming
from alien_iac_azure.place import place

R = TypeVar("R", bound=pulumi.Resource)
_DATA = frozenset({"Storage", "Kv", "Queue", "Secret"})


def after(make: Callable[..., R], resources: Iterable[pulumi.Resource]) -> Callable[..., R]:
    """The class, so that what it makes waits for these."""
    return _with(make, pulumi.ResourceOptions(depends_on=list(resources)))


def keeping(context: Context, make: Callable[..., R]) -> Callable[..., R]:
    """The class, so that what it makes outlives the stack where it holds data that does."""
    kept = context.deployment.config.retain and has_data(context.stack)
    return _with(make, pulumi.ResourceOptions(protect=kept, retain_on_delete=kept))


def once(make: Callable[..., R]) -> Callable[..., R]:
    """The class, so that a later version of this library never runs what it makes again: the result would differ."""
    return _with(make, pulumi.ResourceOptions(ignore_changes=["properties"]))


def has_data(stack: Stack) -> bool:
    """Whether anything in the stack holds data."""
    return any(
        c.kind in _DATA or (isinstance(c.arguments, ContainerArguments) and c.arguments.volumes)
        for c in stack.components
    )


def group_name(context: Context) -> str:
    """The planned name of the resource group."""
    config = context.deployment.config
    return config.resource_group or naming.shared_name(config, "group", "group")


def group(context: Context) -> pulumi.Input[str]:
    """The name of the resource group, once it is there: the customer's own, or one that the deployment makes."""
    config = context.deployment.config
    if config.resource_group:
        return config.resource_group
    props = {
        "resource_group_name": group_name(context),
        "location": place(context.deployment.settings).location,
        "tags": naming.tags(config),
    }
    made: ResourceGroup = context.shared.shared(keeping(context, ResourceGroup), "group", props)
    return made.name


def inside(context: Context, *, tagged: bool = True, resource: str | None = None) -> dict[str, Any]:
    """Where a resource is and whose it is: group, region, tags. `resource`: the component, where it belongs to one."""
    props: dict[str, Any] = {
        "resource_group_name": group(context),
        "location": place(context.deployment.settings).location,
    }
    return {**props, "tags": naming.tags(context.deployment.config, resource)} if tagged else props


def shared(context: Context, make: Callable[..., R], name: str, props: Mapping[str, Any]) -> R:
    """A shared resource with a place and tags."""
    return context.shared.shared(make, name, {**inside(context), **props})


def _with(make: Callable[..., R], more: pulumi.ResourceOptions) -> Callable[..., R]:
    def made(name: str, *, opts: pulumi.ResourceOptions, **props: Any) -> R:
        return make(name, opts=pulumi.ResourceOptions.merge(opts, more), **props)

    return made
