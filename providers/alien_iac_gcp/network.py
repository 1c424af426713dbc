"""The deployment's own network: closed to the outside, with flow logs, and Cloud Run's names resolved privately.

Workloads on Cloud Run join it only to reach others: their way to the internet stays Cloud Run's own, so that only
machines need Cloud NAT.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_gcp.compute import (
    Network,
    Router,
    RouterNat,
    RouterNatLogConfigArgs,
    Subnetwork,
    SubnetworkLogConfigArgs,
    get_subnetwork_output,
)
from pulumi_gcp.dns import (
    ManagedZone,
    ManagedZonePrivateVisibilityConfigArgs,
    ManagedZonePrivateVisibilityConfigNetworkArgs,
    RecordSet,
)

from alien_iac.resources.context import Context
from alien_iac_gcp import naming
from alien_iac_gcp.place import place
from alien_iac_gcp.shape import in_customer_network
from alien_iac_gcp.shared import after, enabled

PRIVATE_GOOGLE = ("199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11")
"""Google's APIs and Cloud Run from within a network: addresses that the internet does not route."""
_RUN = "run.app."
_TTL_S = 300


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A network that a workload is in."""

    network: pulumi.Input[str]
    subnetwork: pulumi.Input[str]
    needed: tuple[pulumi.Resource, ...] = ()


def joined(context: Context) -> Joined:
    """The customer's network for a workload that asks for it, and otherwise the deployment's own."""
    given = context.deployment.config.network
    if in_customer_network(context.declared) and given is not None:
        opts = pulumi.InvokeOptions(provider=context.shared.provider())
        return Joined(network=get_subnetwork_output(self_link=given, opts=opts).network, subnetwork=given)
    subnetwork = own_subnetwork(context)
    return Joined(network=own_network(context).id, subnetwork=subnetwork.id, needed=(subnetwork,))


def own_network(context: Context) -> Network:
    """The network, without a subnetwork of Google's choice."""
    props = {
        "name": naming.shared_name(context.deployment.config, "compute", "network"),
        "auto_create_subnetworks": False,
        "routing_mode": "REGIONAL",
        "description": f"Workloads of {context.deployment.config.prefix}",
    }
    return context.shared.shared(after(Network, enabled(context, "compute")), "network", props)


def own_subnetwork(context: Context) -> Subnetwork:
    """Its one subnetwork, which is in all zones of the region."""
    props = {
        "name": naming.shared_name(context.deployment.config, "compute", "subnetwork"),
        "network": own_network(context).id,
        "region": place(context.deployment.settings).region,
        "ip_cidr_range": address_range(context.deployment.config.prefix),
        "private_ip_google_access": True,
        "log_config": SubnetworkLogConfigArgs(
            aggregation_interval="INTERVAL_5_SEC", flow_sampling=0.5, metadata="INCLUDE_ALL_METADATA"
        ),
    }
    return context.shared.shared(Subnetwork, "subnetwork", props)


def address_range(prefix: str) -> str:
    """4,096 private addresses by the deployment's name, so that two deployments seldom meet where they are joined."""
    number = int.from_bytes(hashlib.sha256(prefix.encode()).digest()[:2], "big")
    return f"10.{64 + number % 128}.{(number >> 8) % 16 * 16}.0/20"


def cloud_run_names(context: Context) -> tuple[pulumi.Resource, ...]:
    """`*.run.app` led to Google's private addresses, by which a caller counts as internal."""
    zone = _zone(context, "run-app", _RUN, own_network(context).id)
    apex = {"name": _RUN, "type": "A", "rrdatas": list(PRIVATE_GOOGLE)}
    every = {"name": f"*.{_RUN}", "type": "CNAME", "rrdatas": [_RUN]}
    return tuple(
        context.shared.shared(RecordSet, name, {"managed_zone": zone.name, "ttl": _TTL_S, **record})
        for name, record in (("run-app", apex), ("run-app-all", every))
    )


def machine_names(context: Context, where: Joined) -> ManagedZone:
    """The zone with the names of machines, in the network that the context's workload is in."""
    label = "internal-customer" if in_customer_network(context.declared) else "internal"
    return _zone(context, label, f"{naming.internal_domain(context.deployment.config)}.", where.network)


def way_out(context: Context) -> RouterNat:
    """Cloud NAT, for machines without an address of their own."""
    config, region = context.deployment.config, place(context.deployment.settings).region
    props = {"name": naming.shared_name(config, "compute", "router"), "network": own_network(context).id}
    router = context.shared.shared(Router, "router", {**props, "region": region})
    nat = {
        "name": naming.shared_name(config, "compute", "nat"),
        "router": router.name,
        "region": region,
        "nat_ip_allocate_option": "AUTO_ONLY",
        "source_subnetwork_ip_ranges_to_nat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
        "log_config": RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
    }
    return context.shared.shared(RouterNat, "nat", nat)


def _zone(context: Context, label: str, domain: str, network: pulumi.Input[str]) -> ManagedZone:
    seen_from = ManagedZonePrivateVisibilityConfigNetworkArgs(network_url=network)
    props: dict[str, Any] = {
        "name": naming.shared_name(context.deployment.config, "zone", label),
        "dns_name": domain,
        "description": f"Names within {context.deployment.config.prefix}",
        "visibility": "private",
        "private_visibility_config": ManagedZonePrivateVisibilityConfigArgs(networks=[seen_from]),
    }
    return context.shared.shared(after(ManagedZone, enabled(context, "dns")), f"{label}-zone", props)
