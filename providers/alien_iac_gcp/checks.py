"""What Google Cloud has to say of a stack before anything is there. Imports no SDK."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac_gcp import (
    check_config,
    check_data,
    check_functions,
    check_images,
    check_machines,
    check_networks,
    check_services,
    check_variables,
)

Check = Callable[[Stack, Mapping[str, Any]], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    check_config.check,
    check_data.check,
    check_functions.check,
    check_images.check,
    check_services.check,
    check_machines.check,
    check_networks.check,
    check_variables.check,
)


def check(stack: Stack, settings: Mapping[str, Any]) -> list[Finding]:
    """Everything that is found."""
    return [finding for each in CHECKS for finding in each(stack, settings)]
