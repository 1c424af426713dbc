"""Containers on machines: one machine each, disks of one machine, and public only by a name."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac.models.units import parse_bytes
from alien_iac_gcp.shape import shape
from alien_iac_gcp.sizes import GIB, asked, disk_gib, machine


def check(stack: Stack, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every Container that is a machine."""
    for component in stack.components:
        if isinstance(component.arguments, ContainerArguments) and shape(component) == "machine":
            yield from _size(component.id, component.arguments)
            yield from _volumes(component.id, component.arguments)
            yield from _reach(component.id, component.arguments)


def _size(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    wanted, scale = asked(arguments), arguments.scale
    size = machine(wanted)
    if size is None:
        message = f"there is no machine here with {wanted.cpu:g} CPU and {arguments.memory}"
        yield finding("GCP_LIMIT", resource, message, "at most 64 CPU")
    else:
        message = f"it runs on a machine of its own, {size.type}: Cloud Run has neither plain TCP nor disks"
        yield finding("GCP_ROUNDED", resource, message)
    if scale and scale.max > 1:
        message = f"gcp has no Container with protocol tcp in {scale.max} replicas: it is one machine"
        yield finding("UNSUPPORTED", resource, message, "leave scale out, or let it speak http")


def _volumes(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    for volume in arguments.volumes:
        if volume.shared:
            message = (
                f"gcp has no shared volume ({volume.mount_path}): a disk is of one machine, and Filestore starts at 1Ti"
            )
            yield finding("UNSUPPORTED", resource, message, "share files in a Storage, or leave shared out")
        elif disk_gib(volume) * GIB != parse_bytes(volume.size):
            message = f'the volume {volume.mount_path} of "{volume.size}" is {disk_gib(volume)}Gi'
            yield finding("GCP_ROUNDED", resource, message)


def _reach(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    if not arguments.public:
        return
    if arguments.protocol == "tcp":
        message = "gcp has no public Container with protocol tcp: what faces the internet speaks http over TLS"
        yield finding("UNSUPPORTED", resource, message, "put a Container that speaks http before it")
    elif arguments.domain is None:
        message = "gcp has no public Container with a volume and without a domain: a machine has no name of its own"
        yield finding("UNSUPPORTED", resource, message, "give it a domain")
