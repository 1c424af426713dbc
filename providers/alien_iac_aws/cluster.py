"""Where Containers run and how they are found: one cluster, and a private DNS namespace that Lambda resolves too."""

from pulumi_aws.ecs import Cluster, ClusterSettingArgs
from pulumi_aws.servicediscovery import (
    PrivateDnsNamespace,
    Service,
    ServiceDnsConfigArgs,
    ServiceDnsConfigDnsRecordArgs,
)

from alien_iac.resources.context import Context
from alien_iac_aws import naming
from alien_iac_aws.network import Network

IDLE = {"private DNS namespace (shared)": "USD 0.50"}
_TTL_S = 10
"""How long a caller may go on with the address of a replica that is gone."""


def cluster(context: Context) -> Cluster:
    """The deployment's cluster, whose metrics go down to the container."""
    props = {
        "name": context.deployment.config.prefix,
        "settings": [ClusterSettingArgs(name="containerInsights", value="enhanced")],
    }
    return context.shared.shared(Cluster, "cluster", props)


def discovery(context: Context, network: Network) -> Service:
    """The Container's name: its replicas' addresses, and their port for those that ask for it."""
    config, resource = context.deployment.config, context.declared.id
    named = {
        "name": naming.namespace(config),
        "vpc": network.vpc,
        "description": f"Workloads of {config.prefix}",
    }
    namespace = context.shared.shared(PrivateDnsNamespace, "namespace", named)
    records = [ServiceDnsConfigDnsRecordArgs(ttl=_TTL_S, type=kind) for kind in ("A", "SRV")]
    props = {
        "name": resource,
        "description": f"{context.declared.kind} {resource} of {config.prefix}",
        "dns_config": ServiceDnsConfigArgs(namespace_id=namespace.id, routing_policy="MULTIVALUE", dns_records=records),
        # ECS says which replicas are well. A dict, since the class warns of the one number that AWS still takes.
        "health_check_custom_config": {"failure_threshold": 1},
        "force_destroy": True,
        "tags": {"resource": resource},
    }
    return context.native("discovery", Service, props, suffix="discovery")
