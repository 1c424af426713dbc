"""Function on Azure is an app on Flex Consumption; from an image or with a domain, a Container App that scales to 0."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_azure_native.app import IngressArgs
from pulumi_azure_native.managedidentity import UserAssignedIdentity

from alien_iac.models.arguments import FunctionArguments
from alien_iac.protocol.outputs import Health, Invoke, Workload
from alien_iac.resources.context import Built, Context, Grant
from alien_iac_azure import (
    access,
    addresses,
    apps,
    callers,
    domain,
    events,
    flex,
    image,
    jobs,
    placement,
    scaling,
    sizes,
)
from alien_iac_azure.place import place
from alien_iac_azure.placement import is_flex
from alien_iac_azure.workload import FUNCTION_PORT, environment, in_container

INVOKE = "/_alien/commands"


@dataclass(frozen=True, kw_only=True)
class _Made:
    name: pulumi.Output[str]
    native: dict[str, Any]
    grants: tuple[Grant, ...] = ()
    idle: Mapping[str, str] = field(default_factory=dict)


def build(context: Context) -> Built:
    """The app and what starts it. Outputs: `name`, `url`, `principal_id` (of its identity), `dns_records`."""
    arguments = context.declared.arguments
    if not isinstance(arguments, FunctionArguments):
        raise TypeError(context.declared.kind)
    identity = access.identity(context)
    heard = events.build(context, identity)
    granted = access.linked(context, identity) + heard.granted
    make = _flex if is_flex(context.declared) else _container
    made = make(context, arguments, identity, granted)
    named = domain.of(context)
    url = addresses.public_url(context, context.declared) or addresses.url(context, context.declared)
    return Built(
        outputs={
            "name": made.name,
            "url": url,
            "principal_id": identity.principal_id,
            "dns_records": domain.records(context, named) if named else None,
        },
        native={
            "identity": identity,
            "grants": list(granted.made),
            "events-queues": list(heard.queues),
            "subscriptions": list(heard.subscriptions),
            **made.native,
        },
        workload=_told(context, arguments),
        grants=(*granted.grants, *made.grants, *callers.grants(context)),
        exposure=callers.exposure(context),
        idle=made.idle,
    )


def _flex(
    context: Context, arguments: FunctionArguments, identity: UserAssignedIdentity, granted: access.Granted
) -> _Made:
    site = flex.build(context, arguments, identity, granted)
    native = {**site.native, "host-grant": list(site.granted.made)}
    return _Made(name=site.app.name, native=native, grants=site.granted.grants)


def _container(
    context: Context, arguments: FunctionArguments, identity: UserAssignedIdentity, granted: access.Granted
) -> _Made:
    named, pulled = domain.of(context), image.imported(context)
    parts = apps.App(
        identity=identity,
        image=pulled,
        size=sizes.app(sizes.FUNCTION_CPU, arguments.memory),
        variables={**environment(context, identity), **in_container(context)},
        scale=scaling.of_function(context, arguments, identity),
        ingress=_ingress(context, arguments, named),
    )
    app = apps.build(context, parts, granted.made)
    native = {
        "app": app,
        "image": pulled.image,
        "jobs": jobs.build(context, arguments, parts),
        "auth": callers.of_app(context, app.name),
        "certificate": domain.certify(context, named, app) if named else None,
    }
    there = {role: resource for role, resource in native.items() if resource is not None}
    return _Made(name=app.name, native=there, grants=(pulled.grant,), idle={**image.IDLE, **jobs.idle(context)})


def _ingress(context: Context, arguments: FunctionArguments, named: domain.Domain | None) -> IngressArgs | None:
    """None where nobody calls: messages and schedules need no door."""
    if not arguments.public and not placement.is_called(context.stack, context.declared):
        return None
    return IngressArgs(
        external=True,
        target_port=FUNCTION_PORT,
        transport="auto",
        allow_insecure=False,
        custom_domains=named.bindings if named else None,
    )


def _told(context: Context, arguments: FunctionArguments) -> pulumi.Output[Workload]:
    application = place(context.deployment.settings).application or ""

    def told(urls: list[str | None]) -> Workload:
        inner, public = urls
        invoke = Invoke(kind="azure-function", url=f"{inner}{INVOKE}", name=application)
        return Workload(
            id=context.declared.id,
            type="worker",
            commands=arguments.commands,
            public_url=public,
            health=Health(kind="heartbeat"),
            invoke=invoke if context.stack.is_called_by_agent(context.declared) else None,
        )

    own, outer = addresses.url(context, context.declared), addresses.public_url(context, context.declared)
    return pulumi.Output.all(own, outer).apply(told)
