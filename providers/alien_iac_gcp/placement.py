"""Which network a workload on Cloud Run joins, if any, and what of its traffic goes there."""

from dataclasses import dataclass

import pulumi

from alien_iac.models.declared import Declared, Stack
from alien_iac.resources.context import Context
from alien_iac_gcp import naming
from alien_iac_gcp.shape import called, in_customer_network, shape

PRIVATE, ALL = "PRIVATE_RANGES_ONLY", "ALL_TRAFFIC"


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Direct VPC egress."""

    subnetwork: pulumi.Input[str]
    tag: str
    """By which firewall rules know the workload."""
    egress: str
    needed: tuple[pulumi.Resource, ...]


def placed(context: Context) -> Placement | None:
    """None for a workload that reaches nobody inside a network."""
    declared, names = context.declared, calls_cloud_run(context.stack, context.declared)
    customer = in_customer_network(declared)
    if not customer and not called(context.stack, declared):
        return None
    from alien_iac_gcp.network import cloud_run_names, joined  # noqa: PLC0415 - Compute Engine's classes load for seconds

    where = joined(context)
    needed = (*where.needed, *(cloud_run_names(context) if names and not customer else ()))
    # In the customer's network nothing of ours resolves Cloud Run's names: what calls them takes all traffic there.
    egress = ALL if names and customer else PRIVATE
    return Placement(subnetwork=where.subnetwork, tag=tag(context, declared.id), egress=egress, needed=needed)


def tag(context: Context, workload: str) -> str:
    """The network tag of a workload."""
    return naming.name(context.deployment.config, "tag", workload)


def calls_cloud_run(stack: Stack, declared: Declared) -> bool:
    """Whether a workload is linked to one on Cloud Run, which answers callers from a network only."""
    return any(shape(target) != "machine" for target in called(stack, declared))
