"""Container on Azure is a Container App, in the inner environment, or in the outer one if it is public."""

import pulumi
from pulumi_azure_native.app import (
    ContainerAppProbeArgs,
    ContainerAppProbeHttpGetArgs,
    ContainerAppProbeTcpSocketArgs,
    IngressArgs,
)

from alien_iac.models.arguments import ContainerArguments
from alien_iac.protocol.outputs import Health, Workload
from alien_iac.resources.context import Built, Context, Exposure
from alien_iac_azure import access, addresses, apps, domain, image, placement, scaling, sizes, volumes
from alien_iac_azure.workload import environment, in_container

_PERIOD_S, _TIMEOUT_S, _FAILURES = 15, 5, 3
_START_PERIOD_S, _START_FAILURES = 5, 30
_CORE_PRICE, _GIB_PRICE = 62.2, 7.8
"""US dollars a month of a core, and of a GiB, that idle all the time."""


def build(context: Context) -> Built:
    """The app and what it stands on.

    Outputs: `name`, `url` (public, or within the network; None without a port), `principal_id` (of its identity),
    `dns_records` (what a public name needs in the customer's DNS).
    """
    arguments = context.declared.arguments
    if not isinstance(arguments, ContainerArguments):
        raise TypeError(context.declared.kind)
    identity = access.identity(context)
    granted = access.linked(context, identity)
    pulled, disks, named = image.imported(context), volumes.build(context, arguments), domain.of(context)
    parts = apps.App(
        identity=identity,
        image=pulled,
        size=sizes.of(arguments),
        variables={**environment(context, identity), **in_container(context)},
        scale=scaling.of_container(context, arguments, identity),
        ingress=_ingress(arguments, named),
        probes=_probes(arguments),
        volumes=disks.declared,
        mounts=disks.mounts,
    )
    app = apps.build(context, parts, (*granted.made, *disks.ready))
    certificate = {"certificate": domain.certify(context, named, app)} if named else {}
    url = addresses.public_url(context, context.declared) or addresses.url(context, context.declared)
    return Built(
        outputs={
            "name": app.name,
            "url": url,
            "principal_id": identity.principal_id,
            "dns_records": domain.records(context, named) if named else None,
        },
        native={
            "app": app,
            "identity": identity,
            "grants": list(granted.made),
            "image": pulled.image,
            **disks.native,
            **certificate,
        },
        workload=_told(context, arguments),
        kept=volumes.kept(context, disks),
        grants=(*granted.grants, pulled.grant),
        exposure=_exposure(context, arguments),
        idle={**_idle(arguments), **disks.idle, **image.IDLE},
    )


def _ingress(arguments: ContainerArguments, named: domain.Domain | None) -> IngressArgs | None:
    """`external` is the network's outside in the outer environment, and the whole network in the inner one."""
    if arguments.port is None:
        return None
    tcp = arguments.protocol == "tcp"
    return IngressArgs(
        external=True,
        target_port=arguments.port,
        exposed_port=arguments.port if tcp else None,
        transport="tcp" if tcp else "auto",
        allow_insecure=None if tcp else False,
        custom_domains=named.bindings if named else None,
    )


def _probes(arguments: ContainerArguments) -> list[ContainerAppProbeArgs]:
    """Whether it has started, whether it answers, and whether it is to be asked."""
    if arguments.port is None:
        return []
    return [
        _probe(arguments, "Startup", _START_PERIOD_S, _START_FAILURES),
        _probe(arguments, "Liveness", _PERIOD_S, _FAILURES),
        _probe(arguments, "Readiness", _PERIOD_S, _FAILURES),
    ]


def _probe(arguments: ContainerArguments, kind: str, period_s: int, failures: int) -> ContainerAppProbeArgs:
    path, port = arguments.health_path, arguments.port or 0
    return ContainerAppProbeArgs(
        type=kind,
        http_get=ContainerAppProbeHttpGetArgs(path=path, port=port) if path else None,
        tcp_socket=None if path else ContainerAppProbeTcpSocketArgs(port=port),
        period_seconds=period_s,
        timeout_seconds=_TIMEOUT_S,
        failure_threshold=failures,
    )


def _told(context: Context, arguments: ContainerArguments) -> pulumi.Output[Workload]:
    def told(urls: list[str | None]) -> Workload:
        inner, public = urls
        health = Health(kind="process")
        if inner and arguments.port is not None:
            path = arguments.health_path
            health = Health(kind="http", url=f"{inner}{path}") if path else Health(kind="tcp", url=inner)
        return Workload(
            id=context.declared.id,
            type="container",
            commands=arguments.commands,
            public_url=public,
            health=health,
        )

    own, outer = addresses.url(context, context.declared), addresses.public_url(context, context.declared)
    return pulumi.Output.all(own, outer).apply(told)


def _exposure(context: Context, arguments: ContainerArguments) -> tuple[Exposure, ...]:
    if arguments.port is None:
        return ()
    how = f"{'tcp' if arguments.protocol == 'tcp' else 'https'}, port {arguments.port} of the container"
    inner = [
        Exposure(resource=context.declared.id, from_=caller.id, how=how)
        for caller in placement.callers(context.stack, context.declared)
    ]
    where = "internet" if arguments.public else "deployment"
    return (*inner, Exposure(resource=context.declared.id, from_=where, how=how))


def _idle(arguments: ContainerArguments) -> dict[str, str]:
    size, least = sizes.of(arguments), arguments.scale.min if arguments.scale else 1
    price = least * (size.cpu * _CORE_PRICE + size.steps * sizes.STEP_GIB * _GIB_PRICE)
    return {f"{least} x {size.cpu:g} cores, {size.memory}": f"USD {price:.2f}"}
