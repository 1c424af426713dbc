"""A public Container with a domain: an application load balancer that speaks TLS, and sends plain http there."""

from dataclasses import dataclass

import pulumi
from pulumi_aws.ec2 import SecurityGroup
from pulumi_aws.ecs import ServiceLoadBalancerArgs
from pulumi_aws.lb import (
    Listener,
    ListenerDefaultActionArgs,
    ListenerDefaultActionRedirectArgs,
    LoadBalancer,
    TargetGroup,
    TargetGroupHealthCheckArgs,
)

from alien_iac.models.arguments import ContainerArguments
from alien_iac.resources.context import Context
from alien_iac_aws import access_logs, certificate, naming
from alien_iac_aws.ingress import Ingress
from alien_iac_aws.security import Membership, Way, anybody, opened

_HTTP, _HTTPS = 80, 443
_TLS = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.3, and 1.2 with forward secrecy."""
_DRAIN_S = 30
_CHECK_S, _CHECK_TIMEOUT_S = 15, 5
_IDLE = {"load balancer": "USD 16.43", "2 public addresses of the load balancer": "USD 7.30"}


@dataclass(frozen=True, kw_only=True)
class _Balancer:
    balancer: LoadBalancer
    group: SecurityGroup
    rules: tuple[pulumi.Resource, ...]


def build(context: Context, arguments: ContainerArguments, member: Membership, port: int, host: str) -> Ingress:
    """The load balancer, its certificate and its two listeners.

    Roles: `load-balancer`, `load-balancer-group`, `target-group`, `certificate`, `certificate-validation`, `listener`,
    `redirect`.
    """
    made = _balancer(context, member, port)
    targets = _targets(context, arguments, member, port)
    issued = certificate.issue(context, host)
    listener = _listener(context, made.balancer, targets, issued.arn)
    redirect = _redirect(context, made.balancer)
    own = {"name": host, "type": "CNAME", "value": made.balancer.dns_name}
    return Ingress(
        url=f"https://{host}",
        how=f"https, at {host} through a load balancer",
        native={
            "load-balancer": made.balancer,
            "load-balancer-group": made.group,
            "target-group": targets,
            "certificate": issued.certificate,
            "certificate-validation": issued.validation,
            "listener": listener,
            "redirect": redirect,
        },
        ready=(listener, redirect, *made.rules),
        targets=(
            ServiceLoadBalancerArgs(
                container_name=context.declared.id, container_port=port, target_group_arn=targets.arn
            ),
        ),
        requests=pulumi.Output.concat(made.balancer.arn_suffix, "/", targets.arn_suffix),
        records=pulumi.Output.all(issued.records, own).apply(lambda found: [*found[0], found[1]]),
        idle=_IDLE,
    )


def _balancer(context: Context, member: Membership, port: int) -> _Balancer:
    config, resource = context.deployment.config, context.declared.id
    grouped = {
        "name": naming.name(config, "security_group", resource, "public"),
        "description": f"Load balancer of {resource}",
        "vpc_id": member.network.vpc,
        "tags": {"resource": resource},
    }
    group = context.native("load-balancer-group", SecurityGroup, grouped, suffix="public")
    way = Way(source=group.id, target=member.group.id, port=port)
    rules = (
        anybody(context, "public-http", _HTTP, group.id),
        anybody(context, "public-https", _HTTPS, group.id),
        *opened(context, "public", f"the load balancer of {resource}", way),
    )
    logs, logged = access_logs.target(context)
    props = {
        "name": naming.name(config, "load_balancer", resource),
        "load_balancer_type": "application",
        "internal": False,
        "subnets": list(member.network.public),
        "security_groups": [group.id],
        "drop_invalid_header_fields": True,
        "desync_mitigation_mode": "defensive",
        "enable_http2": True,
        "access_logs": logs,
        "tags": {"resource": resource},
    }
    # Its subnets have to lead somewhere before it is one that faces the internet.
    balancer = context.waiting_for([*member.network.ready, *logged]).native(
        "load-balancer", LoadBalancer, props, suffix="load-balancer"
    )
    return _Balancer(balancer=balancer, group=group, rules=rules)


def _targets(context: Context, arguments: ContainerArguments, member: Membership, port: int) -> TargetGroup:
    """The replicas by their addresses; the port is part of the name, since another one needs another group."""
    props = {
        "name": naming.name(context.deployment.config, "load_balancer", context.declared.id, str(port)),
        "target_type": "ip",
        "port": port,
        "protocol": "HTTP",
        "vpc_id": member.network.vpc,
        "deregistration_delay": _DRAIN_S,
        "health_check": TargetGroupHealthCheckArgs(
            path=arguments.health_path,
            matcher="200-299",
            interval=_CHECK_S,
            timeout=_CHECK_TIMEOUT_S,
            healthy_threshold=2,
            unhealthy_threshold=3,
        ),
        "tags": {"resource": context.declared.id},
    }
    return context.native("target-group", TargetGroup, props, suffix="targets")


def _listener(context: Context, balancer: LoadBalancer, targets: TargetGroup, issued: pulumi.Input[str]) -> Listener:
    props = {
        "load_balancer_arn": balancer.arn,
        "port": _HTTPS,
        "protocol": "HTTPS",
        "ssl_policy": _TLS,
        "certificate_arn": issued,
        "default_actions": [ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)],
        "tags": {"resource": context.declared.id},
    }
    return context.native("listener", Listener, props, suffix="https")


def _redirect(context: Context, balancer: LoadBalancer) -> Listener:
    there = ListenerDefaultActionRedirectArgs(port=str(_HTTPS), protocol="HTTPS", status_code="HTTP_301")
    props = {
        "load_balancer_arn": balancer.arn,
        "port": _HTTP,
        "protocol": "HTTP",
        "default_actions": [ListenerDefaultActionArgs(type="redirect", redirect=there)],
        "tags": {"resource": context.declared.id},
    }
    return context.native("redirect", Listener, props, suffix="http")
