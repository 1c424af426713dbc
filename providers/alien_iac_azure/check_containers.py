"""Containers: how far a Container App goes, what is rounded, and what a volume's single writer means on Azure."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Declared, Stack
from alien_iac.models.finding import Finding
from alien_iac.models.units import parse_bytes
from alien_iac_azure import sizes
from alien_iac_azure.placement import Seat, seat

HTTP_PORTS = frozenset({80, 443})
_OURS = ("AZURE_CLIENT_ID", "AZURE_REGION", "AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID")


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every Container."""
    taken: dict[tuple[Seat | None, int | None], str] = {}
    for component in stack.components:
        arguments = component.arguments
        if isinstance(arguments, ContainerArguments):
            yield from _size(component.id, arguments)
            yield from _volumes(component.id, arguments)
            yield from _tcp(component, arguments, taken)
            yield from _code(component.id, arguments)


def _size(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    wanted = sizes.steps(arguments.cpu, arguments.memory)
    size = sizes.of(arguments)
    asked = f'cpu {arguments.cpu:g} with memory "{arguments.memory}"'
    if wanted > sizes.MAX_STEPS:
        yield finding("AZURE_LIMIT", resource, f"{asked} is more than a Container App has", "at most 4 cores with 8Gi")
    elif size.cpu != arguments.cpu or wanted * sizes.STEP_GIB * sizes.GIB != parse_bytes(arguments.memory):
        message = f"{asked} is {size.cpu:g} cores with {size.memory}: Azure sells a core with 2 GiB, in quarters"
        yield finding("AZURE_ROUNDED", resource, message)


def _volumes(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    for volume in arguments.volumes:
        gib = sizes.share_gib(volume.size)
        if gib * sizes.GIB != parse_bytes(volume.size):
            message = f'the volume {volume.mount_path} of "{volume.size}" is {gib} GiB: premium shares begin at 100'
            yield finding("AZURE_ROUNDED", resource, message)
    if arguments.single_writer:
        message = "Container Apps start the new copy before the old one stops, so for a while both have its volume"
        yield finding("AZURE_OVERLAP", resource, message, "let the program take a lock on a file of the volume")


def _tcp(
    component: Declared, arguments: ContainerArguments, taken: dict[tuple[Seat | None, int | None], str]
) -> Iterator[Finding]:
    """An environment has one address: a port of it leads to one app."""
    if arguments.protocol != "tcp" or arguments.port is None:
        return
    if arguments.port in HTTP_PORTS:
        message = f"port {arguments.port} of an environment is for http"
        yield finding("AZURE_LIMIT", component.id, message, "let it listen on another port")
    key = (seat(component), arguments.port)
    other = taken.setdefault(key, component.id)
    if other != component.id:
        message = f"{other} has the port {arguments.port} of the same environment already"
        yield finding("AZURE_LIMIT", component.id, message, "give each Container that speaks tcp a port of its own")
    if arguments.domain is not None:
        message = "a Container that speaks tcp has no certificate, and so no domain"
        yield finding("UNSUPPORTED", component.id, message, "let the customer's DNS name it")


def _code(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    for name in sorted(set(_OURS) & set(arguments.env)):
        yield finding("ENV_RESERVED", resource, f"env: {name} is set by alien-iac", "rename it")
