"""The disks of a machine, which outlive it: each is there once, in one zone, and one machine writes to it."""

from pulumi_gcp.compute import (
    Disk,
    DiskDiskEncryptionKeyArgs,
    PerInstanceConfigPreservedStateDiskArgs,
)

from alien_iac.models.arguments import ContainerArguments, VolumeArguments
from alien_iac.protocol.environment import volume_name
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Context
from alien_iac_gcp import naming
from alien_iac_gcp.encryption import keyed
from alien_iac_gcp.place import place
from alien_iac_gcp.sizes import disk_gib

_VARIABLE = "ALIEN_VOLUME_"


def device(volume: VolumeArguments) -> str:
    """The name of a volume: `/meili_data` -> `meili-data`."""
    return volume_name(volume.mount_path).removeprefix(_VARIABLE).lower().replace("_", "-")


def disks(context: Context, arguments: ContainerArguments) -> dict[str, Disk]:
    """Device name to its disk. Role: `volumes`."""
    context, key = keyed(context, "compute")
    encryption = DiskDiskEncryptionKeyArgs(kms_key_self_link=key) if key else None
    made = {}
    for volume in arguments.volumes:
        props = {
            "name": disk_name(context, volume),
            "zone": place(context.deployment.settings).zone,
            "type": "pd-balanced",
            "size": disk_gib(volume),
            "disk_encryption_key": encryption,
            "labels": {"resource": context.declared.id},
        }
        made[device(volume)] = context.native("volumes", Disk, props, suffix=device(volume), kept=True)
    return made


def disk_name(context: Context, volume: VolumeArguments) -> str:
    """The physical name of a volume's disk."""
    return naming.name(context.deployment.config, "compute", context.declared.id, device(volume))


def preserved(made: dict[str, Disk]) -> list[PerInstanceConfigPreservedStateDiskArgs]:
    """The disks as the group keeps them for its machine, and never deletes them."""
    return [
        PerInstanceConfigPreservedStateDiskArgs(
            device_name=name, source=disk.id, mode="READ_WRITE", delete_rule="NEVER"
        )
        for name, disk in made.items()
    ]


def kept(context: Context, arguments: ContainerArguments) -> tuple[Kept, ...]:
    """What stays when the deployment goes."""
    return tuple(
        Kept(id=context.declared.id, type="volume", place=disk_name(context, volume)) for volume in arguments.volumes
    )
