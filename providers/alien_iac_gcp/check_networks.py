"""Networks and names: where the customer's network is, who reaches whom in it, and what a public name is below."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.declared import Declared, Stack
from alien_iac.models.finding import Finding
from alien_iac_gcp import naming, place
from alien_iac_gcp.shape import called, in_customer_network, shape

KEY, DOMAIN = "alien:network", "alien:domain"
_SUBNETWORK = re.compile(r"projects/(?P<project>[^/]+)/regions/(?P<region>[^/]+)/subnetworks/[^/]+")


def check(stack: Stack, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Every workload."""
    workloads = [c for c in stack.components if c.workload]
    if stack.config is None:
        return
    if any(in_customer_network(c) for c in workloads):
        yield from _subnetwork(stack.config.network, settings)
    for component in workloads:
        yield from _apart(stack, component)
        yield from _google_access(stack, component)
        if (
            component.workload
            and component.workload.domain
            and not naming.public_host(component.workload, stack.config)
        ):
            message = f'{component.id} is to be "{component.workload.domain}" below the customer\'s domain: none is set'
            yield finding("CONFIG_MISSING", DOMAIN, message, "set it, or give the workload a whole name")


def _subnetwork(given: str | None, settings: Mapping[str, Any]) -> Iterator[Finding]:
    region = settings.get(place.REGION)
    hint = f"projects/<project>/regions/{region}/subnetworks/<name>"
    if given is None:
        yield finding("CONFIG_MISSING", KEY, 'a workload has network="customer", and no network is set', hint)
        return
    found = _SUBNETWORK.fullmatch(given)
    if not found:
        yield finding("CONFIG_INVALID", KEY, f'"{given}" is not the name of a subnetwork', hint)
    elif found["region"] != region:
        message = f"the subnetwork is in {found['region']}, and {place.REGION} is {region}"
        yield finding("CONFIG_INVALID", KEY, message, "use one of the same region")
    elif found["project"] != settings.get(place.PROJECT):
        message = (
            f"the network is shared by {found['project']}, which has to let Cloud Run and machines of this project in"
        )
        hint = "roles/compute.networkUser on the subnetwork, for this project's service agents and whoever deploys"
        yield finding("GCP_SHARED_NETWORK", KEY, message, hint)


def _apart(stack: Stack, component: Declared) -> Iterator[Finding]:
    """A machine is reached from within its own network only."""
    for target in called(stack, component):
        if shape(target) == "machine" and in_customer_network(target) != in_customer_network(component):
            message = f"it cannot reach {target.id}: only one of the two is in the customer's network"
            yield finding("GCP_NETWORK", component.id, message, 'give both network="customer", or neither')


def _google_access(stack: Stack, component: Declared) -> Iterator[Finding]:
    inside = [target.id for target in called(stack, component) if shape(target) != "machine"]
    if in_customer_network(component) and inside:
        message = (
            f"to reach {', '.join(inside)} all of its traffic goes through the customer's subnetwork, which needs "
            "Private Google Access, and Cloud NAT for the internet"
        )
        yield finding("GCP_PRIVATE_ACCESS", component.id, message)
