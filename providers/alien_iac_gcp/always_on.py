"""A Container that answers http: a Cloud Run service that always has its CPU, and its fewest copies.

Within the deployment whoever reaches it may call it, since any http client is to work: its ingress is the door.
"""

import pulumi
from pulumi_gcp.cloudrunv2 import (
    ServiceTemplateContainerLivenessProbeArgs,
    ServiceTemplateContainerLivenessProbeHttpGetArgs,
    ServiceTemplateContainerStartupProbeArgs,
    ServiceTemplateContainerStartupProbeHttpGetArgs,
    ServiceTemplateScalingArgs,
)

from alien_iac.models.arguments import ContainerArguments, ScaleArguments
from alien_iac.protocol.outputs import Health, Workload
from alien_iac.resources.context import Built, Context, Exposure
from alien_iac_gcp import front as public_front
from alien_iac_gcp import naming
from alien_iac_gcp.addresses import public_url, run_url
from alien_iac_gcp.run_service import Settings, run
from alien_iac_gcp.sizes import asked, run_size
from alien_iac_gcp.workload import account_of

AT_ONCE, TIMEOUT_S = 80, 300
_DOLLARS_PER_CPU, _DOLLARS_PER_GIB = 47, 5
"""About what a core and a GiB cost in a month, where an instance always has them."""


def build(context: Context, arguments: ContainerArguments) -> Built:
    """The service, and the load balancer in front of it where it has a domain."""
    config, name = context.deployment.config, naming.name(context.deployment.config, "run", context.declared.id)
    made = run(context, settings(arguments))
    host = naming.public_host(arguments, config) if arguments.public else None
    front = public_front.over_service(context, host, made.service.name)
    url, public = run_url(context, context.declared.id), public_url(context, context.declared)
    return Built(
        outputs={
            "name": name,
            "id": made.service.id,
            "url": public if public is not None else url,
            "service_account": account_of(context),
            **({"address": front["address"].address} if front else {}),
        },
        native={
            "service": made.service,
            "image": made.imported.image,
            "grants": list(made.granted.members),
            **front,
        },
        workload=pulumi.Output.all(url, public).apply(lambda urls: _told(context, arguments, urls[0], urls[1])),
        grants=made.granted.grants,
        exposure=_exposure(context, arguments, host),
        idle={**_idle(arguments), **(public_front.IDLE if front else {})},
    )


def settings(arguments: ContainerArguments) -> Settings:
    """Probes on its health path, and the copies that it is to have."""
    size, scale = run_size(asked(arguments)), arguments.scale or ScaleArguments(min=1, max=1)
    if size is None or arguments.port is None:
        raise ValueError(arguments)
    return Settings(
        size=size,
        port=arguments.port,
        timeout_s=TIMEOUT_S,
        concurrency=AT_ONCE,
        scaling=ServiceTemplateScalingArgs(
            min_instance_count=scale.min, max_instance_count=scale.max, cpu_utilization=scale.cpu / 100
        ),
        always_on=True,
        open=True,
        startup=_startup(arguments),
        liveness=_liveness(arguments),
    )


def _startup(arguments: ContainerArguments) -> ServiceTemplateContainerStartupProbeArgs:
    """Up to four minutes to come up."""
    get = ServiceTemplateContainerStartupProbeHttpGetArgs(path=arguments.health_path, port=arguments.port)
    return ServiceTemplateContainerStartupProbeArgs(
        http_get=get, period_seconds=10, timeout_seconds=5, failure_threshold=24
    )


def _liveness(arguments: ContainerArguments) -> ServiceTemplateContainerLivenessProbeArgs:
    get = ServiceTemplateContainerLivenessProbeHttpGetArgs(path=arguments.health_path, port=arguments.port)
    return ServiceTemplateContainerLivenessProbeArgs(
        http_get=get, period_seconds=30, timeout_seconds=5, failure_threshold=3
    )


def _exposure(context: Context, arguments: ContainerArguments, host: str | None) -> tuple[Exposure, ...]:
    resource = context.declared.id
    inside = Exposure(resource=resource, from_="deployment", how="https from the project's networks, without a token")
    if not arguments.public:
        return (inside,)
    open_to_all = Exposure(resource=resource, from_="internet", how="its address at run.app")
    return (public_front.exposure(context, host) if host else open_to_all, inside)


def _idle(arguments: ContainerArguments) -> dict[str, str]:
    size, scale = run_size(asked(arguments)), arguments.scale
    if size is None:
        return {}
    dollars = (size.cpu * _DOLLARS_PER_CPU + size.mib / 1024 * _DOLLARS_PER_GIB) * (scale.min if scale else 1)
    return {"instances": f"USD {dollars:.0f}"}


def _told(context: Context, arguments: ContainerArguments, url: str, public: str | None) -> Workload:
    return Workload(
        id=context.declared.id,
        type="container",
        commands=arguments.commands,
        public_url=public,
        health=Health(kind="http", url=f"{url}{arguments.health_path}"),
    )
