"""Container on AWS is an ECS service on Fargate, with a name in the deployment's private DNS."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pulumi
from pulumi_aws.cloudwatch import LogGroup
from pulumi_aws.ecs import (
    Cluster,
    Service,
    ServiceDeploymentCircuitBreakerArgs,
    ServiceNetworkConfigurationArgs,
    ServiceServiceRegistriesArgs,
    TaskDefinition,
)
from pulumi_aws.iam import Role
from pulumi_aws.servicediscovery import Service as Discovery

from alien_iac.models.arguments import ContainerArguments
from alien_iac.protocol.outputs import Health, Workload
from alien_iac.resources.context import Built, Context, Exposure, Grant
from alien_iac_aws import (
    access,
    autoscaling,
    cluster,
    container_image,
    fargate,
    gateway,
    hosts,
    load_balancer,
    naming,
    security,
    task,
    volumes,
)
from alien_iac_aws.bindings import container_url
from alien_iac_aws.ingress import Ingress
from alien_iac_aws.logs import log_group
from alien_iac_aws.network import network
from alien_iac_aws.policy import Statement, allow

_TASKS = "ecs-tasks.amazonaws.com"
_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_GRACE_S = 60
"""How long a load balancer's checks do not count against a replica that starts."""


@dataclass(frozen=True, kw_only=True)
class _Roles:
    execution: Role
    role: Role
    starting: tuple[pulumi.Resource, ...]
    policies: tuple[pulumi.Resource, ...]
    grants: tuple[Grant, ...]

    @property
    def native(self) -> dict[str, Any]:
        return {
            "execution-role": self.execution,
            "execution-policies": list(self.starting),
            "role": self.role,
            "policies": list(self.policies),
        }


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What stands around the service."""

    member: security.Membership
    imported: container_image.Imported
    logs: LogGroup
    volumes: tuple[volumes.Volume, ...]
    roles: _Roles
    discovery: Discovery | None
    ingress: Ingress | None

    @property
    def ready(self) -> tuple[pulumi.Resource, ...]:
        mounted = (resource for volume in self.volumes for resource in volume.ready)
        public = self.ingress.ready if self.ingress else ()
        return (*self.member.ready, *self.roles.starting, *self.roles.policies, *mounted, *public)


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
    made = task.Parts(
        size=size,
        image=parts.imported.reference,
        logs=parts.logs,
        execution=parts.roles.execution,
        role=parts.roles.role,
        volumes=parts.volumes,
    )
    definition = task.build(free, arguments, made)
    running = cluster.cluster(free)
    service = _service(context, arguments, parts, definition, running.arn)
    scaling = _scaling(free, arguments, parts, running, service)
    return Built(
        outputs=_outputs(context, arguments, parts, service),
        native={"service": service, "task": definition, **_native(parts), **scaling},
        needed=(service,),
        workload=_told(context, arguments, parts),
        kept=volumes.kept(context, parts.volumes),
        grants=(*parts.roles.grants, *parts.member.grants),
        exposure=tuple(_exposure(context, arguments, parts)),
        idle=_idle(arguments, size, parts),
    )


def _parts(context: Context, arguments: ContainerArguments) -> _Parts:
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
    return _Parts(
        member=member,
        imported=imported,
        logs=logs,
        volumes=mounted,
        roles=_roles(context, imported, logs, mounted),
        discovery=discovery,
        ingress=_ingress(context, arguments, member, discovery),
    )


def _roles(
    context: Context, imported: container_image.Imported, logs: LogGroup, mounted: tuple[volumes.Volume, ...]
) -> _Roles:
    """One role for what ECS does to start it, and one for what its own code does."""
    execution = access.role(context, _TASKS, role="execution-role", part="execution")
    starts = access.grant(context, context.declared.id, "start", *_starting(imported, logs))
    role = access.role(context, _TASKS)
    grants = (*access.policies(context), *volumes.grants(context, mounted))
    return _Roles(
        execution=execution,
        role=role,
        starting=access.attach(context, execution, [starts], role="execution-policies"),
        policies=access.attach(context, role, grants),
        grants=(starts, *grants),
    )


def _starting(imported: container_image.Imported, logs: LogGroup) -> Iterator[Statement]:
    yield allow("RegistryToken", ["ecr:GetAuthorizationToken"], ["*"])
    yield allow("Pull", _PULL, [imported.repository])
    yield allow("Log", _LOG, [pulumi.Output.concat(logs.arn, ":log-stream:*")])


def _ingress(
    context: Context, arguments: ContainerArguments, member: security.Membership, discovery: Discovery | None
) -> Ingress | None:
    if not arguments.public or arguments.port is None or discovery is None:
        return None
    host = hosts.host(context.deployment.config, arguments.domain) if arguments.domain else None
    if host is None:
        return gateway.build(context, member, arguments.port, discovery)
    return load_balancer.build(context, arguments, member, arguments.port, host)


def _service(
    context: Context,
    arguments: ContainerArguments,
    parts: _Parts,
    definition: TaskDefinition,
    cluster_arn: pulumi.Input[str],
) -> Service:
    single, targets = arguments.single_writer, list(parts.ingress.targets) if parts.ingress else []
    props = {
        "name": naming.name(context.deployment.config, "service", context.declared.id),
        "cluster": cluster_arn,
        "task_definition": definition.arn,
        "launch_type": "FARGATE",
        "desired_count": fargate.replicas(arguments),
        # One writer stops before the next one starts; all others are there before the old ones go.
        "deployment_minimum_healthy_percent": 0 if single else 100,
        "deployment_maximum_percent": 100 if single else 200,
        "deployment_circuit_breaker": ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
        "availability_zone_rebalancing": "DISABLED" if single else "ENABLED",
        "wait_for_steady_state": True,
        "enable_execute_command": False,
        "enable_ecs_managed_tags": True,
        "propagate_tags": "SERVICE",
        "network_configuration": ServiceNetworkConfigurationArgs(
            subnets=list(parts.member.network.private),
            security_groups=[parts.member.group.id],
            assign_public_ip=False,
        ),
        "service_registries": _registries(arguments, parts),
        "load_balancers": targets or None,
        "health_check_grace_period_seconds": _GRACE_S if targets else None,
        "tags": {"resource": context.declared.id},
    }
    make = _scaled_service if autoscaling.scales(arguments) else Service
    return context.waiting_for(parts.ready).native("service", make, props)


def _scaled_service(logical: str, /, opts: pulumi.ResourceOptions, **props: Any) -> Service:  # noqa: ANN401 - the class's own
    """A service whose number of replicas is not put back to what it began with."""
    ours = pulumi.ResourceOptions(ignore_changes=["desiredCount"])
    return Service(logical, opts=pulumi.ResourceOptions.merge(opts, ours), **props)


def _registries(arguments: ContainerArguments, parts: _Parts) -> ServiceServiceRegistriesArgs | None:
    if parts.discovery is None:
        return None
    return ServiceServiceRegistriesArgs(registry_arn=parts.discovery.arn, port=arguments.port)


def _scaling(
    context: Context, arguments: ContainerArguments, parts: _Parts, running: Cluster, service: Service
) -> dict[str, Any]:
    if arguments.scale is None or not autoscaling.scales(arguments):
        return {}
    balanced = parts.ingress.requests if parts.ingress else None
    target, policies = autoscaling.build(context, arguments.scale, running, service, balanced)
    return {"scaling": target, "scaling-policies": policies}


def _native(parts: _Parts) -> dict[str, Any]:
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


def _outputs(context: Context, arguments: ContainerArguments, parts: _Parts, service: Service) -> dict[str, Any]:
    return {
        "name": service.name,
        "url": _url(context, arguments, parts),
        "security_group": parts.member.group.id,
        "dns_records": parts.ingress.records if parts.ingress else [],
    }


def _url(context: Context, arguments: ContainerArguments, parts: _Parts) -> pulumi.Input[str] | None:
    if parts.ingress is not None:
        return parts.ingress.url
    return container_url(context.declared, context.deployment.config) if arguments.port else None


def _told(context: Context, arguments: ContainerArguments, parts: _Parts) -> pulumi.Output[Workload]:
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


def _exposure(context: Context, arguments: ContainerArguments, parts: _Parts) -> Iterator[Exposure]:
    resource = context.declared.id
    if parts.ingress:
        yield Exposure(resource=resource, from_="internet", how=parts.ingress.how)
    for caller in context.stack.components:
        if arguments.port and any(link.resource == resource and link.verb == "call" for link in caller.links):
            yield Exposure(resource=resource, from_=caller.id, how=f"{arguments.protocol}, on port {arguments.port}")


def _idle(arguments: ContainerArguments, size: fargate.Size, parts: _Parts) -> Mapping[str, str]:
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
