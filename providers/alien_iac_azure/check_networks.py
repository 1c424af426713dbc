"""Networks: the customer's subnets are named, a workload and what it calls are in one network, domains are whole."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.errors import ConfigInvalid
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.declared import Declared, Stack
from alien_iac.models.finding import Finding
from alien_iac_azure import placement

GROUP = "alien:resourceGroup"


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """The network of the config, and every workload's."""
    if stack.config is None:
        return
    own = False
    for component in stack.components:
        seat = placement.seat(component)
        own = own or (seat is not None and seat.network == "own")
        yield from _apart(stack, component)
        yield from _named(component, stack.config)
        if seat is not None and seat.network == "customer":
            yield from _subnet(component, stack.config, seat.part)
    if own and stack.config.resource_group:
        message = "the deployment's own network has no flow logs: Azure keeps them in a resource group of its own"
        yield finding("AZURE_FLOW_LOGS", GROUP, message, "turn them on by the customer's policy")


def _subnet(component: Declared, config: DeploymentConfig, part: placement.Part) -> Iterator[Finding]:
    try:
        placement.customer_subnet(config, part)
    except ConfigInvalid as wrong:
        code = "CONFIG_MISSING" if config.network is None else "CONFIG_INVALID"
        yield finding(code, placement.KEY, f"{component.id}: {wrong.message}", wrong.hint or "")


def _apart(stack: Stack, component: Declared) -> Iterator[Finding]:
    """From another network, an inner environment is not reached, and a subnet is not let in."""
    own = placement.seat(component)
    for link in component.links:
        target = stack.find(link.resource)
        theirs = placement.seat(target) if target is not None else None
        if own is None or theirs is None or theirs.network == own.network or theirs.part == "public":
            continue
        message = f"it calls {link.resource} in another network than its own"
        yield finding("AZURE_NETWORK", component.id, message, 'give both network="customer", or neither')


def _named(component: Declared, config: DeploymentConfig) -> Iterator[Finding]:
    workload = component.workload
    if workload is None or not workload.public or workload.domain is None:
        return
    if "." not in workload.domain and config.domain is None:
        message = f'{component.id} is to be "{workload.domain}" below the customer\'s domain: none is set'
        yield finding("CONFIG_MISSING", "alien:domain", message, "pulumi config set alien:domain app.example.com")
        return
    message = "its name has to lead to it before the certificate is issued: see its output `dns_records`"
    yield finding("AZURE_DOMAIN", component.id, message, "make the records while the first update runs, or before")
