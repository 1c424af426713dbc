"""Functions: how far Azure goes, what is rounded, and the variables that it keeps for itself."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import FunctionArguments
from alien_iac.models.declared import Declared, Stack
from alien_iac.models.finding import Finding
from alien_iac.models.triggers import CreatedTrigger, QueueTrigger
from alien_iac.models.units import parse_bytes, parse_seconds
from alien_iac_azure import sizes
from alien_iac_azure.placement import is_flex

HTTP_S, LOCK_S = 230, 300
_OURS = re.compile(r"AzureWebJobs\w*|AzureFunctions\w*|AZURE_(CLIENT_ID|REGION|SUBSCRIPTION_ID|TENANT_ID)|WEBSITE_\w+")


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every Function."""
    for component in stack.components:
        if isinstance(component.arguments, FunctionArguments):
            yield from _variables(component.id, component.arguments)
            yield from _waits(stack, component, component.arguments)
            yield from (_flex if is_flex(component) else _app)(component.id, component.arguments)


def _flex(resource: str, arguments: FunctionArguments) -> Iterator[Finding]:
    if not sizes.fits_flex(arguments.memory):
        hint = "at most 4Gi here; a Function from an image, or a Container, has up to 8Gi"
        yield finding("AZURE_LIMIT", resource, f'memory "{arguments.memory}" is more than an instance has', hint)
    elif sizes.flex_mib(arguments.memory) * sizes.MIB != parse_bytes(arguments.memory):
        message = (
            f'memory "{arguments.memory}" is {sizes.flex_mib(arguments.memory)}Mi: instances have 512, 2048 or 4096'
        )
        yield finding("AZURE_ROUNDED", resource, message)


def _app(resource: str, arguments: FunctionArguments) -> Iterator[Finding]:
    if arguments.image is None:
        message = "it runs as a Container App, since it has a domain: Flex Consumption gets no certificate from Azure"
        yield finding("AZURE_CONTAINER_APP", resource, message)
    wanted = sizes.steps(sizes.FUNCTION_CPU, arguments.memory)
    if wanted > sizes.MAX_STEPS:
        yield finding(
            "AZURE_LIMIT", resource, f'memory "{arguments.memory}" is more than a copy has', "at most 8Gi here"
        )
    elif wanted * sizes.STEP_GIB * sizes.GIB != parse_bytes(arguments.memory):
        size = sizes.app(sizes.FUNCTION_CPU, arguments.memory)
        message = f'memory "{arguments.memory}" is {size.memory}: Container Apps come in steps of half a GiB'
        yield finding("AZURE_ROUNDED", resource, message)


def _waits(stack: Stack, component: Declared, arguments: FunctionArguments) -> Iterator[Finding]:
    seconds = parse_seconds(arguments.timeout)
    if seconds > HTTP_S and (arguments.public or stack.is_called_by_agent(component)):
        message = (
            f'timeout "{arguments.timeout}": whoever calls it waits {HTTP_S} seconds at most, and it goes on after'
        )
        yield finding("AZURE_HTTP_WAIT", component.id, message, "put long work on a queue")
    waits = any(isinstance(trigger, QueueTrigger | CreatedTrigger) for trigger in arguments.triggers)
    if seconds > LOCK_S and waits:
        message = (
            f'timeout "{arguments.timeout}": a message is locked for five minutes, and the runtime renews the lock'
        )
        yield finding("AZURE_LOCK", component.id, message)


def _variables(resource: str, arguments: FunctionArguments) -> Iterator[Finding]:
    for name in sorted(arguments.env):
        if _OURS.fullmatch(name):
            yield finding("ENV_RESERVED", resource, f"env: {name} is set by Azure, or for it", "rename it")
