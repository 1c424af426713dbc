"""The deployment's own network, from its first workload on: an environment of Container Apps never joins one later.

Outgoing traffic needs no NAT gateway: in subnets that are delegated to a service, the service provides for it.
"""

import hashlib
import ipaddress
from collections.abc import Iterable

import pulumi
from pulumi_azure_native.network import (
    AddressSpaceArgs,
    DelegationArgs,
    NetworkSecurityGroup,
    NetworkSecurityGroupArgs,
    SecurityRuleArgs,
    ServiceEndpointPropertiesFormatArgs,
    SubnetArgs,
    VirtualNetwork,
)

from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Declared, Stack
from alien_iac.resources.context import Context
from alien_iac_azure import flow_logs, naming
from alien_iac_azure.placement import Part, Seat, customer_subnet, seat, users
from alien_iac_azure.shared import shared

PARTS: tuple[Part, ...] = ("functions", "internal", "public")
SERVICES = ("Microsoft.Storage", "Microsoft.KeyVault", "Microsoft.Web")
"""Services that take callers by their subnet."""
DELEGATED = "Microsoft.App/environments"
_FIRST, _RANGES = 64, 160
_WEB_PORTS = ("80", "443", "31080", "31443")
"""Those that clients call, and those to which the environment's load balancer takes them."""


def network_range(prefix: str) -> ipaddress.IPv4Network:
    """The addresses of a deployment's network: by its prefix, so that two are rarely the same where they are peered."""
    number = int.from_bytes(hashlib.sha256(prefix.encode()).digest()[:2], "big")
    return ipaddress.IPv4Network(f"10.{_FIRST + number % _RANGES}.0.0/16")


def network(context: Context) -> VirtualNetwork:
    """The network with its subnets: they are part of it, since Azure changes one at a time only."""
    config = context.deployment.config
    ranges = list(network_range(config.prefix).subnets(new_prefix=23))
    props = {
        "virtual_network_name": naming.shared_name(config, "network", "network"),
        "address_space": AddressSpaceArgs(address_prefixes=[str(network_range(config.prefix))]),
        "subnets": [_subnet(context, part, ranges[number]) for number, part in enumerate(PARTS)],
    }
    made: VirtualNetwork = shared(context, VirtualNetwork, "network", props)
    if config.resource_group is None:
        flow_logs.build(context, made)
    return made


def subnet(context: Context, where: Seat) -> pulumi.Input[str]:
    """The id of a subnet."""
    if where.network == "customer":
        return customer_subnet(context.deployment.config, where.part)
    return pulumi.Output.concat(network(context).id, f"/subnets/{where.part}")


def virtual_network(context: Context, where: Seat) -> pulumi.Input[str]:
    """The id of the network that a subnet is in."""
    if where.network == "customer":
        return customer_subnet(context.deployment.config, where.part).partition("/subnets/")[0]
    return network(context).id


def admitted(context: Context, workloads: Iterable[Declared]) -> list[pulumi.Input[str]]:
    """The subnets of these workloads, each once."""
    seats = dict.fromkeys(where for where in map(seat, workloads) if where is not None)
    return [subnet(context, where) for where in seats]


def of_users(context: Context) -> list[pulumi.Input[str]]:
    """The subnets of those that are linked to the context's component."""
    return admitted(context, users(context.stack, context.declared.id))


def _subnet(context: Context, part: Part, addresses: ipaddress.IPv4Network) -> SubnetArgs:
    return SubnetArgs(
        name=part,
        address_prefix=str(addresses),
        network_security_group=NetworkSecurityGroupArgs(id=_security(context, part).id),
        delegations=[DelegationArgs(name="apps", service_name=DELEGATED)],
        service_endpoints=[ServiceEndpointPropertiesFormatArgs(service=service) for service in SERVICES],
        private_endpoint_network_policies="Enabled",
    )


def _security(context: Context, part: Part) -> NetworkSecurityGroup:
    """Azure's own rules let in this network and nobody else; the internet comes to the public subnet only."""
    rules = [_from_internet(context.stack)] if part == "public" else []
    props = {
        "network_security_group_name": naming.shared_name(context.deployment.config, "network", part),
        "security_rules": rules,
    }
    made: NetworkSecurityGroup = shared(context, NetworkSecurityGroup, f"network-{part}", props)
    return made


def _from_internet(stack: Stack) -> SecurityRuleArgs:
    return SecurityRuleArgs(
        name="internet",
        description="Public workloads",
        priority=100,
        direction="Inbound",
        access="Allow",
        protocol="Tcp",
        source_address_prefix="Internet",
        source_port_range="*",
        destination_address_prefix="VirtualNetwork",
        destination_port_ranges=[*_WEB_PORTS, *(str(port) for port in public_ports(stack))],
    )


def public_ports(stack: Stack) -> list[int]:
    """The ports of public Containers that speak no http."""
    found = (c.arguments for c in stack.components if isinstance(c.arguments, ContainerArguments))
    return sorted({a.port for a in found if a.public and a.protocol == "tcp" and a.port and a.network is None})
