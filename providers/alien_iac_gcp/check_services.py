"""Containers on Cloud Run: the sizes that it has, and worker pools that do not grow."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac_gcp.shape import shape
from alien_iac_gcp.sizes import asked, run_size


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every Container that is not a machine."""
    for component in stack.components:
        arguments, kind = component.arguments, shape(component)
        if isinstance(arguments, ContainerArguments) and kind != "machine":
            yield from _size(component.id, arguments)
            if kind == "worker-pool" and arguments.scale and arguments.scale.max > arguments.scale.min:
                message = f"it listens on no port, so {arguments.scale.min} copies run, and never more"
                yield finding("IGNORED", component.id, message, "give it the number that it needs as min")


def _size(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    wanted = asked(arguments)
    size = run_size(wanted)
    if size is None:
        message = f"Cloud Run has nothing with {wanted.cpu:g} CPU and {arguments.memory}"
        yield finding("GCP_LIMIT", resource, message, "at most 8 CPU and 32Gi")
    elif size != wanted:
        message = f"Cloud Run has no {wanted.cpu:g} CPU with {wanted.mib}Mi; it gets {size.cpu:g} CPU and {size.mib}Mi"
        yield finding("GCP_ROUNDED", resource, message)
