"""Containers: the sizes that Fargate has, how the internet reaches one, and what ECS does not do for an image."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.errors import ConfigInvalid
from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac_aws import fargate, hosts
from alien_iac_aws.placement import KEY, customer_network, network_of

GATEWAY_SECONDS, GATEWAY_MIB = 30, 10
"""How long API Gateway waits for an answer, and the largest body that it takes."""
BALANCER_ZONES = 2


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every Container, and all of them together."""
    for component in stack.components:
        if isinstance(component.arguments, ContainerArguments):
            yield from _size(component.id, component.arguments)
            yield from _health(component.id, component.arguments)
            yield from _volumes(component.id, component.arguments)
            yield from _public(stack, component.id, component.arguments)
    yield from _together(stack)
    yield from _egress(stack)


def _size(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    asked, chosen = f"{arguments.cpu:g} CPU and {arguments.memory}", fargate.size(arguments)
    if chosen is None:
        yield finding("AWS_LIMIT", resource, f"Fargate has nothing with {asked}", "at most 16 CPU and 120Gi")
    elif chosen != fargate.wanted(arguments):
        yield finding("AWS_ROUNDED", resource, f"Fargate has no {asked}; it gets {chosen.words}")


def _health(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    """Inside of a source's image is Python to ask with; what an author's image has is not known."""
    if arguments.image is not None and arguments.health_path and not (arguments.public and arguments.domain):
        message = f"nothing on AWS asks its {arguments.health_path}: it counts as well while its process runs"
        hint = "give it a HEALTHCHECK through transform, or a domain, whose load balancer asks"
        yield finding("AWS_HEALTH", resource, message, hint)


def _volumes(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    for volume in arguments.volumes:
        message = f"the volume {volume.mount_path} grows as it is filled; its size of {volume.size} is no limit here"
        yield finding("IGNORED", resource, message)


def _public(stack: Stack, resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    if not arguments.public or stack.config is None:
        return
    if arguments.protocol == "tcp":
        message = "aws has no public Container with protocol tcp: what faces the internet speaks http over TLS"
        yield finding("UNSUPPORTED", resource, message, "put a Container that speaks http before it")
    elif arguments.domain is None:
        message = (
            f"API Gateway ends a request after {GATEWAY_SECONDS} s, and takes no body above {GATEWAY_MIB} MiB and "
            "no gRPC"
        )
        yield finding("AWS_GATEWAY", resource, message, "with a domain it gets a load balancer, about USD 24 a month")
    else:
        yield from _domain(stack.config, resource, arguments.domain)
        if arguments.network == "customer":
            yield from _public_subnets(stack.config, resource)


def _domain(config: DeploymentConfig, resource: str, domain: str) -> Iterator[Finding]:
    if hosts.host(config, domain) is None:
        message = f'{resource} is to be "{domain}" below the customer\'s domain, and the config names none'
        yield finding("CONFIG_MISSING", "alien:domain", message, "set it, or give the Container a whole name")


def _public_subnets(config: DeploymentConfig, resource: str) -> Iterator[Finding]:
    try:
        public = customer_network(config).public
    except ConfigInvalid:
        return  # the check of networks says so
    if len(public) < BALANCER_ZONES:
        message = f"the load balancer of {resource} stands in public subnets of two zones, and it names {len(public)}"
        yield finding("CONFIG_INVALID", KEY, message, 'name them as "public"')


def _together(stack: Stack) -> Iterator[Finding]:
    """They share one cluster and one private DNS namespace, which is of one network."""
    containers = [c for c in stack.components if c.kind == "Container"]
    joined = [c.id for c in containers if network_of(stack, c) == "customer"]
    if joined and len(joined) < len(containers):
        apart = next(c.id for c in containers if c.id not in joined)
        message = f"it is in the customer's network, and {apart} is not"
        yield finding("AWS_NETWORK", joined[0], message, 'give all Containers network="customer", or none')


def _egress(stack: Stack) -> Iterator[Finding]:
    inside = sorted(c.id for c in stack.components if network_of(stack, c) == "own")
    if inside:
        message = f"in the deployment's own network these reach the internet over https only: {', '.join(inside)}"
        hint = 'open another port with a rule for their native["security-group"]'
        yield finding("AWS_EGRESS", KEY, message, hint)
