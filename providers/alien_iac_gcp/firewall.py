"""Who may reach a machine, one rule for each caller: nothing else gets in."""

from collections.abc import Iterable

import pulumi
from pulumi_gcp.compute import Firewall, FirewallAllowArgs, FirewallLogConfigArgs

from alien_iac.resources.context import Context, Exposure
from alien_iac_gcp import naming
from alien_iac_gcp.network import Joined
from alien_iac_gcp.placement import tag
from alien_iac_gcp.shape import callers

PROBES = ("130.211.0.0/22", "35.191.0.0/16")
"""From where Google asks whether a machine is well, and from where its load balancers come."""


def rules(context: Context, where: Joined, port: int) -> list[Firewall]:
    """The rules of the context's machine. Role: `firewall`."""
    linked = callers(context.stack, context.declared)
    return [
        _rule(context, where, port, "probes", {"source_ranges": list(PROBES)}),
        *(_rule(context, where, port, f"from-{c.id}", {"source_tags": [tag(context, c.id)]}) for c in linked),
    ]


def exposure(context: Context, port: int) -> Iterable[Exposure]:
    """What the review says of them."""
    how = f"TCP {port}, by a firewall rule between the two"
    for caller in callers(context.stack, context.declared):
        yield Exposure(resource=context.declared.id, from_=caller.id, how=how)


def _rule(context: Context, where: Joined, port: int, part: str, source: dict[str, list[str]]) -> Firewall:
    network = pulumi.Output.from_input(where.network)
    props = {
        "name": naming.name(context.deployment.config, "compute", context.declared.id, part),
        "network": network,
        "project": network.apply(project_of),
        "direction": "INGRESS",
        "priority": 1000,
        "allows": [FirewallAllowArgs(protocol="tcp", ports=[str(port)])],
        "target_tags": [tag(context, context.declared.id)],
        "log_config": FirewallLogConfigArgs(metadata="INCLUDE_ALL_METADATA"),
        **source,
    }
    return context.native("firewall", Firewall, props, suffix=part)


def project_of(network: str | None) -> str | None:
    """The project that a network is in, which shares it; None for one that is named without."""
    parts = (network or "").split("/")
    return parts[parts.index("projects") + 1] if "projects" in parts[:-1] else None
