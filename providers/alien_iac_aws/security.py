"""What a workload in a network may speak to: a security group of its own, and rules for exactly what it is linked to.

Both rules of a link, the way out and the way in, stand under the workload that has the link: a group never says by
itself who may come.
"""

from dataclasses import dataclass, replace
from typing import Any

import pulumi
from pulumi_aws.ec2 import SecurityGroup
from pulumi_aws.vpc import SecurityGroupEgressRule, SecurityGroupIngressRule

from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Declared
from alien_iac.resources.context import Context, Grant
from alien_iac_aws import naming
from alien_iac_aws.network import Network
from alien_iac_aws.placement import called

ROLE = "security-group"
_ANYWHERE = "0.0.0.0/0"
_HTTPS = (443, 443)
_ALL_PORTS = (0, 65_535)


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A workload in a network."""

    network: Network
    group: SecurityGroup
    rules: tuple[pulumi.Resource, ...]
    grants: tuple[Grant, ...] = ()
    """The Containers that it may call: that is granted by rules alone."""

    @property
    def native(self) -> dict[str, Any]:
        """What was made, by role."""
        return {
            ROLE: self.group,
            "egress": [rule for rule in self.rules if isinstance(rule, SecurityGroupEgressRule)],
            "ingress": [rule for rule in self.rules if isinstance(rule, SecurityGroupIngressRule)],
        }

    @property
    def ready(self) -> tuple[pulumi.Resource, ...]:
        """What has to be there before the workload reaches anything."""
        return (*self.rules, *self.network.ready)


def join(context: Context, network: Network) -> Membership:
    """Give the workload a security group in the network, and open what it is linked to.

    Roles: `security-group`; `egress` and `ingress`, of which there may be several.
    """
    resource, config = context.declared.id, context.deployment.config
    props = {
        "name": naming.name(config, "security_group", resource),
        "description": f"{context.declared.kind} {resource} of {config.prefix}",
        "vpc_id": network.vpc,
        "tags": {"resource": resource},
    }
    # Two Containers may call each other: their groups and rules wait for neither.
    free = replace(context, needed=())
    group = free.native(ROLE, SecurityGroup, props, suffix=ROLE)
    links = [rule for target in called(context.stack, context.declared) for rule in _link(free, group, target)]
    return Membership(
        network=network, group=group, rules=(_outside(free, network, group), *links), grants=_calls(context)
    )


@dataclass(frozen=True, kw_only=True)
class Way:
    """From one security group to another, on one port."""

    source: pulumi.Input[str]
    target: pulumi.Input[str]
    port: int


def opened(context: Context, name: str, words: str, way: Way) -> tuple[pulumi.Resource, pulumi.Resource]:
    """The two rules that open a way, both under the context's component.

    `name`: part of their logical names. `words`: what they are for, as EC2's console shows it.
    """
    common = {**_ports((way.port, way.port)), "description": words}
    out = {"security_group_id": way.source, "referenced_security_group_id": way.target, **common}
    into = {"security_group_id": way.target, "referenced_security_group_id": way.source, **common}
    return (
        context.native("egress", SecurityGroupEgressRule, out, suffix=f"{name}-egress"),
        context.native("ingress", SecurityGroupIngressRule, into, suffix=f"{name}-ingress"),
    )


def anybody(context: Context, name: str, port: int, group: pulumi.Input[str]) -> SecurityGroupIngressRule:
    """The rule by which the whole internet reaches a group on one port."""
    props = {
        "security_group_id": group,
        "cidr_ipv4": _ANYWHERE,
        **_ports((port, port)),
        "description": f"from anywhere on {port}",
    }
    return context.native("ingress", SecurityGroupIngressRule, props, suffix=f"{name}-ingress")


def _calls(context: Context) -> tuple[Grant, ...]:
    """The links as the review tells them: which group reaches which other one, and on which port."""
    config, resource = context.deployment.config, context.declared.id

    def told(target: Declared) -> Grant:
        ends = {way: naming.name(config, "security_group", end) for way, end in (("from", resource), ("to", target.id))}
        return Grant(workload=resource, resource=target.id, verb="call", policy={**ends, "tcp": _port(target)})

    return tuple(told(target) for target in called(context.stack, context.declared))


def _port(target: Declared) -> int | None:
    return target.arguments.port if isinstance(target.arguments, ContainerArguments) else None


def _link(context: Context, group: SecurityGroup, target: Declared) -> tuple[pulumi.Resource, ...]:
    port = _port(target)
    if port is None:
        return ()
    other = context.native_of(target.id, ROLE).apply(lambda found: found.id)
    words = f"{context.declared.id} calls {target.id}"
    return opened(context, f"to-{target.id}", words, Way(source=group.id, target=other, port=port))


def _outside(context: Context, network: Network, group: SecurityGroup) -> SecurityGroupEgressRule:
    """The cloud's own services and whatever else speaks TLS; in the customer's network all that is let in there."""
    ports = _ALL_PORTS if network.is_customers else _HTTPS
    props = {
        "security_group_id": group.id,
        "cidr_ipv4": _ANYWHERE,
        **_ports(ports),
        "description": "to what this network lets in" if network.is_customers else "to anything over https",
    }
    return context.native("egress", SecurityGroupEgressRule, props, suffix="egress")


def _ports(ports: tuple[int, int]) -> dict[str, object]:
    return {"ip_protocol": "tcp", "from_port": ports[0], "to_port": ports[1]}
