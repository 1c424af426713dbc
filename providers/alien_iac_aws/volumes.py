"""Volumes of a Container: an encrypted EFS file system each, which the workload's role alone may mount, over TLS."""

from dataclasses import dataclass

import pulumi
from pulumi_aws.ec2 import SecurityGroup
from pulumi_aws.ecs import (
    TaskDefinitionVolumeArgs,
    TaskDefinitionVolumeEfsVolumeConfigurationArgs,
    TaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfigArgs,
)
from pulumi_aws.efs import (
    AccessPoint,
    AccessPointPosixUserArgs,
    AccessPointRootDirectoryArgs,
    AccessPointRootDirectoryCreationInfoArgs,
    BackupPolicy,
    BackupPolicyBackupPolicyArgs,
    FileSystem,
    FileSystemLifecyclePolicyArgs,
    FileSystemPolicy,
    MountTarget,
)

from alien_iac.models.arguments import ContainerArguments
from alien_iac.protocol.environment import volume_name
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Context, Grant
from alien_iac_aws import access, naming
from alien_iac_aws.policy import Statement, allow, deny_plain_http, document, text
from alien_iac_aws.security import Membership, Way, opened

UID = 1000
"""The user and the group that all files of a volume belong to, whoever the image runs as."""
_NFS = 2049
_MOUNT = ("elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite")
_DATA = "/data"


@dataclass(frozen=True, kw_only=True)
class Volume:
    """One volume as it was made."""

    mount_path: str
    name: str
    file_system: FileSystem
    access_point: AccessPoint
    ready: tuple[pulumi.Resource, ...]


def build(context: Context, arguments: ContainerArguments, member: Membership) -> tuple[Volume, ...]:
    """The volumes, and the way to them.

    Roles: `volumes` (the file systems), `volume-policies`, `backups`, `access-points`, `mount-targets`, `volume-group`.
    """
    if not arguments.volumes:
        return ()
    group = _group(context, member)
    words = f"{context.declared.id} mounts its volumes"
    way = opened(context, "volumes", words, Way(source=member.group.id, target=group.id, port=_NFS))
    return tuple(_volume(context, member, group, way, volume.mount_path) for volume in arguments.volumes)


def grants(context: Context, volumes: tuple[Volume, ...]) -> tuple[Grant, ...]:
    """The mounting of these volumes, each through its access point only."""
    return tuple(access.grant(context, context.declared.id, f"mount {v.name}", _mounted(v)) for v in volumes)


def task_volume(volume: Volume) -> TaskDefinitionVolumeArgs:
    """The volume as a task definition names it."""
    through = TaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfigArgs(
        access_point_id=volume.access_point.id, iam="ENABLED"
    )
    file_system = TaskDefinitionVolumeEfsVolumeConfigurationArgs(
        file_system_id=volume.file_system.id, transit_encryption="ENABLED", authorization_config=through
    )
    return TaskDefinitionVolumeArgs(name=volume.name, efs_volume_configuration=file_system)


def environment(arguments: ContainerArguments) -> dict[str, pulumi.Input[str]]:
    """The variables that say where the volumes are."""
    return {volume_name(volume.mount_path): volume.mount_path for volume in arguments.volumes}


def kept(context: Context, volumes: tuple[Volume, ...]) -> tuple[Kept, ...]:
    """What outlives the deployment, by the names that the file systems carry."""
    return tuple(Kept(id=context.declared.id, type="volume", place=_token(context, v.name)) for v in volumes)


def _name(mount_path: str) -> str:
    return volume_name(mount_path).removeprefix("ALIEN_VOLUME_").lower().replace("_", "-")


def _token(context: Context, name: str) -> str:
    """The file system's name: EFS gives it an id of its own, and finds it again by this token."""
    return naming.name(context.deployment.config, "file_system", context.declared.id, name)


def _group(context: Context, member: Membership) -> SecurityGroup:
    props = {
        "name": naming.name(context.deployment.config, "security_group", context.declared.id, "volumes"),
        "description": f"Volumes of {context.declared.id}",
        "vpc_id": member.network.vpc,
        "tags": {"resource": context.declared.id},
    }
    return context.native("volume-group", SecurityGroup, props, suffix="volume-group")


def _volume(
    context: Context, member: Membership, group: SecurityGroup, way: tuple[pulumi.Resource, ...], mount_path: str
) -> Volume:
    name = _name(mount_path)
    made = _file_system(context, name)
    owner = AccessPointRootDirectoryCreationInfoArgs(owner_uid=UID, owner_gid=UID, permissions="0750")
    props = {
        "file_system_id": made.id,
        "posix_user": AccessPointPosixUserArgs(uid=UID, gid=UID),
        "root_directory": AccessPointRootDirectoryArgs(path=_DATA, creation_info=owner),
        "tags": {"resource": context.declared.id},
    }
    point = context.native("access-points", AccessPoint, props, suffix=f"{name}-access")
    ready = (*_protected(context, made, name), *_mount_targets(context, made, name, member, group), *way)
    return Volume(mount_path=mount_path, name=name, file_system=made, access_point=point, ready=ready)


def _file_system(context: Context, name: str) -> FileSystem:
    token = _token(context, name)
    props = {
        "creation_token": token,
        "encrypted": True,
        "kms_key_id": context.deployment.config.encryption_key,
        "performance_mode": "generalPurpose",
        "throughput_mode": "elastic",
        "lifecycle_policies": [
            FileSystemLifecyclePolicyArgs(transition_to_ia="AFTER_30_DAYS"),
            FileSystemLifecyclePolicyArgs(transition_to_primary_storage_class="AFTER_1_ACCESS"),
        ],
        "tags": {"resource": context.declared.id, "Name": token},
    }
    return context.native("volumes", FileSystem, props, suffix=name, kept=True)


def _protected(context: Context, made: FileSystem, name: str) -> tuple[pulumi.Resource, pulumi.Resource]:
    """TLS only, and daily backups; they are kept with the data."""
    policy = {"file_system_id": made.id, "policy": text(document(deny_plain_http("*", [made.arn])))}
    backup = {"file_system_id": made.id, "backup_policy": BackupPolicyBackupPolicyArgs(status="ENABLED")}
    return (
        context.native("volume-policies", FileSystemPolicy, policy, suffix=f"{name}-policy", kept=True),
        context.native("backups", BackupPolicy, backup, suffix=f"{name}-backup", kept=True),
    )


def _mount_targets(
    context: Context, made: FileSystem, name: str, member: Membership, group: SecurityGroup
) -> list[MountTarget]:
    """One in each zone."""
    props = {"file_system_id": made.id, "security_groups": [group.id]}
    return [
        context.native("mount-targets", MountTarget, {**props, "subnet_id": subnet}, suffix=f"{name}-mount-{number}")
        for number, subnet in enumerate(member.network.private, start=1)
    ]


def _mounted(volume: Volume) -> Statement:
    through = {"ArnEquals": {"elasticfilesystem:AccessPointArn": volume.access_point.arn}}
    return allow("Mount", _MOUNT, [volume.file_system.arn], through)
