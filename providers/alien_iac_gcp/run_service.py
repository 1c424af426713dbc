"""A Cloud Run service: what Functions and Containers that answer http have in common.

Its deletion protection is off: it holds no data, and the provider's default would refuse every `destroy`.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_gcp.cloudrunv2 import (
    Service,
    ServiceTemplateArgs,
    ServiceTemplateContainerArgs,
    ServiceTemplateContainerEnvArgs,
    ServiceTemplateContainerLivenessProbeArgs,
    ServiceTemplateContainerPortsArgs,
    ServiceTemplateContainerResourcesArgs,
    ServiceTemplateContainerStartupProbeArgs,
    ServiceTemplateScalingArgs,
    ServiceTemplateVpcAccessArgs,
    ServiceTemplateVpcAccessNetworkInterfaceArgs,
    ServiceTrafficArgs,
)

from alien_iac.resources.context import Context
from alien_iac_gcp import naming
from alien_iac_gcp.access import Granted, linked
from alien_iac_gcp.accounts import account, email
from alien_iac_gcp.encryption import keyed
from alien_iac_gcp.image import Imported, imported
from alien_iac_gcp.place import place
from alien_iac_gcp.placement import Placement, placed
from alien_iac_gcp.shared import with_apis
from alien_iac_gcp.sizes import Size
from alien_iac_gcp.workload import environment, of_image

INTERNAL, BALANCED, ANYBODY = (
    "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
    "INGRESS_TRAFFIC_ALL",
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What differs between a Function and a Container."""

    size: Size
    port: int
    timeout_s: int
    concurrency: int
    scaling: ServiceTemplateScalingArgs
    always_on: bool
    """Whether it has its CPU between requests too."""
    open: bool
    """Whether Cloud Run lets everybody in who reaches it, and asks nobody who they are."""
    startup: ServiceTemplateContainerStartupProbeArgs | None = None
    liveness: ServiceTemplateContainerLivenessProbeArgs | None = None


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service, and what was made for it."""

    service: Service
    imported: Imported
    granted: Granted


def run(context: Context, settings: Settings) -> Running:
    """Make the service, with the workload's account, image and grants. Roles: `service`, `image`, `grants`."""
    own, image = account(context, context.declared.id), imported(context)
    granted, where = linked(context), placed(context)
    waits = [own, *granted.members, *(where.needed if where else ())]
    waiting, key = keyed(with_apis(context.waiting_for(waits), "run"), "run")
    props = _props(context, settings, _template(context, settings, image, where, key))
    return Running(service=waiting.native("service", Service, props), imported=image, granted=granted)


def ingress(context: Context) -> str:
    """Who can reach the service at all: others of the project's networks, and the internet where it is public."""
    arguments = context.declared.workload
    if arguments is None or not arguments.public:
        return INTERNAL
    return BALANCED if arguments.domain else ANYBODY


def _props(context: Context, settings: Settings, template: ServiceTemplateArgs) -> dict[str, Any]:
    return {
        "name": naming.name(context.deployment.config, "run", context.declared.id),
        "location": place(context.deployment.settings).region,
        "description": f"{context.declared.kind} {context.declared.id} of {context.deployment.config.prefix}",
        "ingress": ingress(context),
        "invoker_iam_disabled": settings.open,
        "deletion_protection": False,
        "labels": {"resource": context.declared.id},
        "traffics": [ServiceTrafficArgs(type="TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent=100)],
        "template": template,
    }


def _template(
    context: Context, settings: Settings, image: Imported, where: Placement | None, key: str | None
) -> ServiceTemplateArgs:
    config, at = context.deployment.config, place(context.deployment.settings)
    return ServiceTemplateArgs(
        service_account=email(config, at, context.declared.id),
        execution_environment="EXECUTION_ENVIRONMENT_GEN2",
        timeout=f"{settings.timeout_s}s",
        max_instance_request_concurrency=settings.concurrency,
        scaling=settings.scaling,
        encryption_key=key,
        labels={"resource": context.declared.id},
        vpc_access=_egress(where) if where else None,
        containers=[_container(context, settings, image)],
    )


def _container(context: Context, settings: Settings, image: Imported) -> ServiceTemplateContainerArgs:
    variables = sorted(environment(context).items(), key=lambda pair: pair[0])
    return ServiceTemplateContainerArgs(
        image=image.reference,
        args=of_image(context.declared),
        envs=[ServiceTemplateContainerEnvArgs(name=name, value=value) for name, value in variables],
        ports=ServiceTemplateContainerPortsArgs(name="http1", container_port=settings.port),
        resources=ServiceTemplateContainerResourcesArgs(
            limits=settings.size.limits, cpu_idle=not settings.always_on, startup_cpu_boost=True
        ),
        startup_probe=settings.startup,
        liveness_probe=settings.liveness,
    )


def _egress(where: Placement) -> ServiceTemplateVpcAccessArgs:
    interface: pulumi.Input[ServiceTemplateVpcAccessNetworkInterfaceArgs] = (
        ServiceTemplateVpcAccessNetworkInterfaceArgs(subnetwork=where.subnetwork, tags=[where.tag])
    )
    return ServiceTemplateVpcAccessArgs(egress=where.egress, network_interfaces=[interface])
