"""The ECS service of a Container: how many replicas run, where, and how new ones take over from the old."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.cloudwatch import LogGroup
from pulumi_aws.ecs import (
    Service,
    ServiceDeploymentCircuitBreakerArgs,
    ServiceNetworkConfigurationArgs,
    ServiceServiceRegistriesArgs,
    TaskDefinition,
)
from pulumi_aws.servicediscovery import Service as Discovery

from alien_iac.models.arguments import ContainerArguments
from alien_iac.resources.context import Context
from alien_iac_aws import autoscaling, fargate, naming
from alien_iac_aws.container_image import Imported
from alien_iac_aws.ingress import Ingress
from alien_iac_aws.security import Membership
from alien_iac_aws.task_roles import Roles
from alien_iac_aws.volumes import Volume

_GRACE_S = 60
"""How long a load balancer's checks do not count against a replica that starts."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What stands around the service."""

    member: Membership
    imported: Imported
    logs: LogGroup
    volumes: tuple[Volume, ...]
    roles: Roles
    discovery: Discovery | None
    ingress: Ingress | None

    @property
    def ready(self) -> tuple[pulumi.Resource, ...]:
        """What has to be there before a replica starts."""
        mounted = (resource for volume in self.volumes for resource in volume.ready)
        public = self.ingress.ready if self.ingress else ()
        return (*self.member.ready, *self.roles.starting, *self.roles.policies, *mounted, *public)


def build(
    context: Context,
    arguments: ContainerArguments,
    parts: Parts,
    definition: TaskDefinition,
    cluster_arn: pulumi.Input[str],
) -> Service:
    """The service. Role: `service`."""
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


def _scaled_service(logical: str, /, opts: pulumi.ResourceOptions, **props: Any) -> Service:
    """A service whose number of replicas is not put back to what it began with."""
    ours = pulumi.ResourceOptions(ignore_changes=["desiredCount"])
    return Service(logical, opts=pulumi.ResourceOptions.merge(opts, ours), **props)


def _registries(arguments: ContainerArguments, parts: Parts) -> ServiceServiceRegistriesArgs | None:
    if parts.discovery is None:
        return None
    return ServiceServiceRegistriesArgs(registry_arn=parts.discovery.arn, port=arguments.port)
