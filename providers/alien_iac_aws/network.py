"""The network that workloads run in: the deployment's own over two zones, or the customer's, which is only joined.

Made when the first workload needs one. Workloads stand in private subnets and have no public address. S3 and DynamoDB
are reached through endpoints that cost nothing; everything else of AWS over TLS through a NAT gateway in each zone, so
that no other endpoint is needed, and the loss of a zone does not cut off the other one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_aws.ec2 import (
    DefaultSecurityGroup,
    Eip,
    InternetGateway,
    NatGateway,
    Route,
    RouteTable,
    RouteTableAssociation,
    Subnet,
    Vpc,
    VpcEndpoint,
)

from alien_iac.resources.context import Context, R
from alien_iac_aws import flow_logs
from alien_iac_aws.addresses import Zone, network_range, zones
from alien_iac_aws.place import place
from alien_iac_aws.placement import customer_network, network_of

_ANYWHERE = "0.0.0.0/0"
_IDLE = {"2 NAT gateways (shared)": "USD 65.70", "2 public addresses of NAT gateways (shared)": "USD 7.30"}


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network, as far as a workload needs to know it."""

    is_customers: bool
    vpc: pulumi.Input[str]
    private: tuple[pulumi.Input[str], ...]
    """The subnets of workloads, one a zone."""
    public: tuple[pulumi.Input[str], ...]
    """The subnets of what the internet reaches."""
    ready: tuple[pulumi.Resource, ...] = ()
    """What has to be there before a workload reaches anything."""
    idle: Mapping[str, str] = field(default_factory=dict)


def network(context: Context) -> Network | None:
    """The network of the context's workload; None where it needs none."""
    kind = network_of(context.stack, context.declared)
    if kind is None:
        return None
    return _customers(context) if kind == "customer" else _own(context)


def _customers(context: Context) -> Network:
    given = customer_network(context.deployment.config)
    return Network(is_customers=True, vpc=given.vpc, private=given.private, public=given.public)


def _own(context: Context) -> Network:
    config = context.deployment.config
    vpc = _named(
        context,
        Vpc,
        "network",
        cidr_block=str(network_range(config.prefix)),
        enable_dns_support=True,
        enable_dns_hostnames=True,
    )
    # Nothing uses it, and nothing that forgets to name a group shall be open.
    _shared(context, DefaultSecurityGroup, "network-default", vpc_id=vpc.id, ingress=[], egress=[])
    flow_logs.record(context, vpc)
    outside = _way_out(context, vpc)
    region = place(context.deployment.settings).region
    parts = [
        _zone(context, vpc, outside, number, zone) for number, zone in enumerate(zones(region, config.prefix), start=1)
    ]
    gateways = _endpoints(context, vpc, region, [part.table for part in parts])
    return Network(
        is_customers=False,
        vpc=vpc.id,
        private=tuple(part.private.id for part in parts),
        public=tuple(part.public.id for part in parts),
        ready=(*(resource for part in parts for resource in part.ready), *gateways),
        idle=_IDLE,
    )


@dataclass(frozen=True, kw_only=True)
class _Zone:
    public: Subnet
    private: Subnet
    table: RouteTable
    ready: tuple[pulumi.Resource, ...]


def _zone(context: Context, vpc: Vpc, outside: tuple[RouteTable, Route], number: int, zone: Zone) -> _Zone:
    """The subnets of one zone, and the private one's way out."""
    public = _subnet(context, vpc, f"public-{number}", zone, zone.public)
    private = _subnet(context, vpc, f"private-{number}", zone, zone.private)
    routes, out = outside
    associated = _associated(context, f"public-{number}", public, routes)
    address = _named(context, Eip, f"network-address-{number}", domain="vpc")
    where = {"allocation_id": address.id, "subnet_id": _after(public.id, associated, out)}
    nat = _named(context, NatGateway, f"network-nat-{number}", **where)
    table = _named(context, RouteTable, f"network-private-{number}-routes", vpc_id=vpc.id)
    through = {"route_table_id": table.id, "destination_cidr_block": _ANYWHERE, "nat_gateway_id": nat.id}
    ready = (
        associated,
        _associated(context, f"private-{number}", private, table),
        _shared(context, Route, f"network-private-{number}-out", **through),
    )
    return _Zone(public=public, private=private, table=table, ready=ready)


def _way_out(context: Context, vpc: Vpc) -> tuple[RouteTable, Route]:
    internet = _named(context, InternetGateway, "network-internet", vpc_id=vpc.id)
    table = _named(context, RouteTable, "network-public-routes", vpc_id=vpc.id)
    out = {"route_table_id": table.id, "destination_cidr_block": _ANYWHERE, "gateway_id": internet.id}
    return table, _shared(context, Route, "network-public-out", **out)


def _subnet(context: Context, vpc: Vpc, name: str, zone: Zone, block: str) -> Subnet:
    props = {"vpc_id": vpc.id, "cidr_block": block, "map_public_ip_on_launch": False, **zone.zone}
    return _named(context, Subnet, f"network-{name}", **props)


def _associated(context: Context, name: str, subnet: Subnet, table: RouteTable) -> RouteTableAssociation:
    props = {"subnet_id": subnet.id, "route_table_id": table.id}
    return _shared(context, RouteTableAssociation, f"network-{name}-association", **props)


def _endpoints(context: Context, vpc: Vpc, region: str, tables: list[RouteTable]) -> list[VpcEndpoint]:
    """S3 and DynamoDB without the NAT gateways, and so without their price by the gigabyte."""
    props = {"vpc_id": vpc.id, "vpc_endpoint_type": "Gateway", "route_table_ids": [table.id for table in tables]}
    return [
        _named(context, VpcEndpoint, f"network-{service}", service_name=f"com.amazonaws.{region}.{service}", **props)
        for service in ("s3", "dynamodb")
    ]


def _named(context: Context, make: Callable[..., R], name: str, **props: object) -> R:
    """A shared resource that EC2's console shows by its name."""
    return _shared(context, make, name, tags={"Name": f"{context.deployment.config.prefix}-{name}"}, **props)


def _shared(context: Context, make: Callable[..., R], name: str, **props: object) -> R:
    return context.shared.shared(make, name, props)


def _after(value: pulumi.Input[str], *resources: pulumi.Resource) -> pulumi.Output[str]:
    """The value, once these are there: EC2 refuses a NAT gateway in a subnet without a way out."""
    there = pulumi.Output.all(*(resource.urn for resource in resources))
    return pulumi.Output.all(value, there).apply(lambda both: str(both[0]))
