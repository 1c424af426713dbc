"""Container on AWS is an ECS service on Fargate, with a name in the deployment's private DNS."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pulumi
from pulumi_aws.cloudwatch import LogGroup
from pulumi_aws.ecs import Cluster, Service
from pulumi_aws.servicediscovery import Service as Discovery

from alien_iac.models.arguments import ContainerArguments
from alien_iac.protocol.outputs import Health, Workload
from alien_iac.resources.context import Built, Context, Exposure
from alien_iac_aws import (
    autoscaling,
    cluster,
    container_image,
    fargate,
    gateway,
    hosts,
    load_balancer,
    security,
    service,
    task,
    task_roles,
    volumes,
)
from alien_iac_aws.bindings import container_url
from alien_iac_aws.ingress import Ingress
from alien_iac_aws.logs import log_group
from alien_iac_aws.network import network
from alien_iac_aws.service import Parts


def build(context: Context) -> Built:
    """The service and what it stands on.

    Outputs: `name`, `url` (public, or within the deployment; None without a port), `security_group` (its id, for the
    customer's own rules), `dns_records` (what a public name needs in the customer's DNS).
    """
    arguments = _arguments(context)
    size = fargate.size(arguments)
    if size is None:
        raise ValueError(fargate.wanted(arguments).words)
    # What stands around the service does not wait for what the workload is linked to; the service does.
    free = replace(context, needed=())
    parts = _parts(free, arguments)
    task_parts = task.Parts(
        size=size,
        image=parts.imported.reference,
        logs=parts.logs,
        execution=parts.roles.execution,
        role=parts.roles.role,
        volumes=parts.volumes,
    )
    definition = task.build(free, arguments, task_parts)
    running = cluster.cluster(free)
    made = service.build(context, arguments, parts, definition, running.arn)
    scaling = _scaling(free, arguments, parts, running, made)
    return Built(
        outputs=_outputs(context, arguments, parts, made),
        native={"service": made, "task": definition, **_native(parts), **scaling},
        needed=(made,),
        workload=_told(context, arguments, parts),
        kept=volumes.kept(context, parts.volumes),
        grants=(*parts.roles.grants, *parts.member.grants),
        exposure=tuple(_exposure(context, arguments, parts)),
        idle=_idle(arguments, size, parts),
    )


def _parts(context: Context, arguments: ContainerArguments) -> Parts:
    joined = network(context)
    if joined is None:
        raise TypeError(context.declared.kind)
    member = security.join(context, joined)
    imported = container_image.build(context, arguments)
    logs = context.native(
        "logs", LogGroup, log_group(context.deployment.config, "ecs", context.declared.id), suffix="logs"
    )
    mounted = volumes.build(context, arguments, member)
    discovery = cluster.discovery(context, joined) if arguments.port else None
    return Parts(
        member=member,
        imported=imported,
        logs=logs,
        volumes=mounted,
        roles=task_roles.build(context, imported, logs, mounted),
        discovery=discovery,
        ingress=_ingress(context, arguments, member, discovery),
    )


def _ingress(
    context: Context, arguments: ContainerArguments, member: security.Membership, discovery: Discovery | None
) -> Ingress | None:
    if not arguments.public or arguments.port is None or discovery is None:
        return None
    host = hosts.host(context.deployment.config, arguments.domain) if arguments.domain else None
    if host is None:
        return gateway.build(context, member, arguments.port, discovery)
    return load_balancer.build(context, arguments, member, arguments.port, host)


def _scaling(
    context: Context, arguments: ContainerArguments, parts: Parts, running: Cluster, made: Service
) -> dict[str, Any]:
    if arguments.scale is None or not autoscaling.scales(arguments):
        return {}
    balanced = parts.ingress.requests if parts.ingress else None
    target, policies = autoscaling.build(context, arguments.scale, running, made, balanced)
    return {"scaling": target, "scaling-policies": policies}


def _native(parts: Parts) -> dict[str, Any]:
    found: dict[str, Any] = {
        **parts.member.native,
        "logs": parts.logs,
        **parts.imported.native,
        **parts.roles.native,
        "discovery": parts.discovery,
        "volumes": [volume.file_system for volume in parts.volumes],
        "access-points": [volume.access_point for volume in parts.volumes],
        **(parts.ingress.native if parts.ingress else {}),
    }
    return {role: resource for role, resource in found.items() if resource is not None}


def _outputs(context: Context, arguments: ContainerArguments, parts: Parts, made: Service) -> dict[str, Any]:
    return {
        "name": made.name,
        "url": _url(context, arguments, parts),
        "security_group": parts.member.group.id,
        "dns_records": parts.ingress.records if parts.ingress else [],
    }


def _url(context: Context, arguments: ContainerArguments, parts: Parts) -> pulumi.Input[str] | None:
    if parts.ingress is not None:
        return parts.ingress.url
    return container_url(context.declared, context.deployment.config) if arguments.port else None


def _told(context: Context, arguments: ContainerArguments, parts: Parts) -> pulumi.Output[Workload]:
    """A private Container is not in the agent's reach; an update ends only when ECS says that it is well."""

    def told(url: str | None) -> Workload:
        asked = Health(kind="http", url=f"{url}{arguments.health_path}") if url else Health(kind="process")
        return Workload(
            id=context.declared.id,
            type="container",
            commands=arguments.commands,
            public_url=url,
            health=asked,
        )

    return pulumi.Output.from_input(parts.ingress.url if parts.ingress else None).apply(told)


def _exposure(context: Context, arguments: ContainerArguments, parts: Parts) -> Iterator[Exposure]:
    resource = context.declared.id
    if parts.ingress:
        yield Exposure(resource=resource, from_="internet", how=parts.ingress.how)
    for caller in context.stack.components:
        if arguments.port and any(link.resource == resource and link.verb == "call" for link in caller.links):
            yield Exposure(resource=resource, from_=caller.id, how=f"{arguments.protocol}, on port {arguments.port}")


def _idle(arguments: ContainerArguments, size: fargate.Size, parts: Parts) -> Mapping[str, str]:
    named = f"{fargate.replicas(arguments)} x {size.words} on Fargate"
    volumes_cost = {"volumes": "USD 0.30 per GB in use"} if parts.volumes else {}
    return {
        named: f"USD {fargate.monthly_price(arguments, size):.2f}",
        **volumes_cost,
        **parts.member.network.idle,
        **cluster.IDLE,
        **(parts.ingress.idle if parts.ingress else {}),
    }


def _arguments(context: Context) -> ContainerArguments:
    arguments = context.declared.arguments
    if not isinstance(arguments, ContainerArguments):
        raise TypeError(context.declared.kind)
    return arguments
