"""What Azure adds to the checks of a stack: its keys of the config, its limits, what is rounded; no SDK is needed."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac_azure import check_config, check_containers, check_functions, check_images, check_labels, check_networks

Check = Callable[[Stack, Mapping[str, Any]], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    check_config.check,
    check_functions.check,
    check_containers.check,
    check_images.check,
    check_networks.check,
    check_labels.check,
)


def check(stack: Stack, settings: Mapping[str, Any]) -> list[Finding]:
    """Everything that Azure has to say about a stack whose config could be read; nothing about another one."""
    if stack.config is None:
        return []
    return [finding for each in CHECKS for finding in each(stack, settings)]
