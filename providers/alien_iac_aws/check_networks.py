"""Networks: the customer's is named as one, and a workload and what it calls are in the same."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.errors import ConfigInvalid
from alien_iac.models.declared import Declared, Stack
from alien_iac.models.finding import Finding
from alien_iac_aws.placement import KEY, called, customer_network, network_of


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """The network of the config, and every workload's."""
    for component in stack.components:
        yield from _apart(stack, component)
    if stack.config is None or not any(c.workload and c.workload.network for c in stack.components):
        return
    try:
        network = customer_network(stack.config)
    except ConfigInvalid as wrong:
        code = "CONFIG_MISSING" if stack.config.network is None else "CONFIG_INVALID"
        yield finding(code, KEY, wrong.message, wrong.hint or "")
        return
    if len(network.private) == 1:
        message = f"it has one subnet, {network.private[0]}: with its zone, all workloads in it are gone"
        yield finding("AWS_NETWORK_ZONES", KEY, message, "name one in each of two zones")


def _apart(stack: Stack, component: Declared) -> Iterator[Finding]:
    own = network_of(stack, component)
    others = sorted(target.id for target in called(stack, component) if network_of(stack, target) != own)
    if others:
        message = f"it calls {', '.join(others)} in another network than its own"
        yield finding("AWS_NETWORK", component.id, message, 'give all of them network="customer", or none')
