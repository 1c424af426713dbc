"""Volumes: where they are mounted, and that one which is not shared has a single writer."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import ContainerArguments, VolumeArguments
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac.protocol.environment import volume_name


def check(stack: Stack) -> Iterator[Finding]:
    """Every Container's volumes."""
    for component in stack.components:
        if isinstance(component.arguments, ContainerArguments):
            yield from _paths(component.id, component.arguments.volumes)
            yield from _writers(component.id, component.arguments)


def _paths(resource: str, volumes: tuple[VolumeArguments, ...]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for volume in volumes:
        path = PurePosixPath(volume.mount_path)
        if not path.is_absolute() or ".." in path.parts or path == PurePosixPath("/"):
            message = f'"{volume.mount_path}" is not a place to mount a volume'
            yield finding("VOLUME_INVALID", resource, message, 'an absolute path such as "/data"')
        variable = volume_name(volume.mount_path)
        if variable in seen:
            message = f'the volumes "{seen[variable]}" and "{volume.mount_path}" would share {variable}'
            yield finding("VOLUME_INVALID", resource, message, "give them paths that differ in letters or digits")
        seen.setdefault(variable, volume.mount_path)


def _writers(resource: str, arguments: ContainerArguments) -> Iterator[Finding]:
    if arguments.single_writer and arguments.scale and arguments.scale.max > 1:
        message = f"it has a volume of its own and would run {arguments.scale.max} replicas"
        yield finding("VOLUME_SCALE", resource, message, "leave scale out, or use Volume(…, shared=True)")
