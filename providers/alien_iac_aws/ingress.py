"""The way in from the internet, as the Container behind it sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_aws.ecs import ServiceLoadBalancerArgs


@dataclass(frozen=True, kw_only=True)
class Ingress:
    """One way in."""

    url: pulumi.Input[str]
    how: str
    """In words, for the review."""
    native: Mapping[str, Any]
    ready: tuple[pulumi.Resource, ...] = ()
    """What has to be there before the service registers itself."""
    targets: tuple[ServiceLoadBalancerArgs, ...] = ()
    requests: pulumi.Input[str] | None = None
    """The label under which the requests of a replica are counted."""
    records: pulumi.Input[list[Mapping[str, str]]] = field(default_factory=list)
    """DNS records that the customer has to make."""
    idle: Mapping[str, str] = field(default_factory=dict)
