"""A Container that speaks plain TCP or has disks: one machine, its disks, its name, and who may reach it.

Its group makes it anew when it is unwell or a release changes it; disks and address move along.
"""

from typing import Any

import pulumi
from pulumi_gcp.dns import RecordSet

from alien_iac.models.arguments import ContainerArguments
from alien_iac.protocol.outputs import Health, Workload
from alien_iac.resources.context import Built, Context, Exposure
from alien_iac_gcp import balancer, firewall, front, naming
from alien_iac_gcp.access import Granted, give, linked, log_writer, repository_reader
from alien_iac_gcp.addresses import internal_url, machine_host
from alien_iac_gcp.disks import disks, kept
from alien_iac_gcp.image import Imported, imported
from alien_iac_gcp.machine_group import Reached, group, reached
from alien_iac_gcp.machine_template import template
from alien_iac_gcp.network import Joined, cloud_run_names, joined, machine_names, way_out
from alien_iac_gcp.placement import calls_cloud_run
from alien_iac_gcp.shape import in_customer_network
from alien_iac_gcp.shared import with_apis
from alien_iac_gcp.sizes import asked, disk_gib, machine
from alien_iac_gcp.workload import account_of

_TTL_S = 60
_DOLLARS_PER_GIB, _DOLLARS_OF_NAT = 0.1, 4
Native = dict[str, Any]


def build(context: Context, arguments: ContainerArguments) -> Built:
    """The machine. Its `url` is its name within the network, or its domain where it is public."""
    context = with_apis(context, "compute")
    image, where = imported(context), joined(context)
    granted = _granted(context, image)
    waiting = context.waiting_for([*granted.members, *_network(context, where)])
    made = template(waiting, arguments, image, where)
    volumes = disks(context, arguments)
    reach = reached(context, arguments, where) if arguments.port else None
    one = group(waiting, arguments, made, volumes, reach)
    native: Native = {
        "volumes": list(volumes.values()),
        "image": image.image,
        "grants": list(granted.members),
        "template": made,
        "group": one.manager,
        "instance": one.instance,
    }
    host = naming.public_host(arguments, context.deployment.config) if arguments.public else None
    if reach and arguments.port:
        native |= _reach(context, where, reach, arguments.port)
        if host:
            native |= balancer.over_machine(context, host, one.manager.instance_group, reach.health.id)
    return _built(context, arguments, granted, native, host)


def _built(
    context: Context, arguments: ContainerArguments, granted: Granted, native: Native, host: str | None
) -> Built:
    inside = internal_url(context, context.declared) if arguments.port else None
    public = f"https://{host}" if host else None
    return Built(
        outputs={
            "name": naming.name(context.deployment.config, "machine", context.declared.id),
            "id": native["group"].id,
            "url": public or inside,
            "service_account": account_of(context),
            **({"address": native["address"].address} if host else {}),
        },
        native=native,
        workload=pulumi.Output.from_input(inside).apply(lambda url: _told(context, arguments, url, public)),
        kept=kept(context, arguments),
        grants=granted.grants,
        exposure=_exposure(context, arguments, host),
        idle=_idle(context, arguments, host),
    )


def _granted(context: Context, image: Imported) -> Granted:
    """What its links grant it, and what a machine needs itself: to pull its image, and to write logs."""
    own, waiting = context.declared.id, context.waiting_for([image.image])
    pull = give(waiting, repository_reader(context, image.repository), own, "alien:images", "read")
    return linked(context) + pull + give(context, log_writer(context), own, "alien:logs", "write")


def _network(context: Context, where: Joined) -> list[pulumi.Resource]:
    """In the deployment's own network, the way out and the names of what it calls; the customer's has its own."""
    if in_customer_network(context.declared):
        return list(where.needed)
    names = cloud_run_names(context) if calls_cloud_run(context.stack, context.declared) else ()
    return [*where.needed, way_out(context), *names]


def _reach(context: Context, where: Joined, reach: Reached, port: int) -> Native:
    """Its name and the rules by which it is reached."""
    record = {
        "managed_zone": machine_names(context, where).name,
        "name": f"{machine_host(context, context.declared.id)}.",
        "type": "A",
        "ttl": _TTL_S,
        "rrdatas": [reach.address.address],
    }
    return {
        "internal-address": reach.address,
        "health": reach.health,
        "record": context.native("record", RecordSet, record, suffix="record"),
        "firewall": firewall.rules(context, where, port),
    }


def _exposure(context: Context, arguments: ContainerArguments, host: str | None) -> tuple[Exposure, ...]:
    inside = tuple(firewall.exposure(context, arguments.port)) if arguments.port else ()
    return (*inside, front.exposure(context, host)) if host else inside


def _idle(context: Context, arguments: ContainerArguments, host: str | None) -> dict[str, str]:
    size = machine(asked(arguments))
    disks_gib = sum(disk_gib(volume) for volume in arguments.volumes)
    costs = {"machine": f"USD {size.usd}" if size else ""}
    if disks_gib:
        costs["disks"] = f"USD {disks_gib * _DOLLARS_PER_GIB:.0f}"
    if not in_customer_network(context.declared):
        costs["Cloud NAT"] = f"USD {_DOLLARS_OF_NAT}, and USD 0.045 a GiB"
    return {**costs, **(front.IDLE if host else {})}


def _told(context: Context, arguments: ContainerArguments, url: str | None, public: str | None) -> Workload:
    health = Health(kind="process")
    if url is not None:
        path = arguments.health_path
        health = Health(kind="http", url=f"{url}{path}") if path else Health(kind="tcp", url=url)
    return Workload(
        id=context.declared.id,
        type="container",
        commands=arguments.commands,
        public_url=public,
        health=health,
    )
