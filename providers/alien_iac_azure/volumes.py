"""Volumes of a Container: an NFS share on premium disks each, in an account that its own subnet alone reaches."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native.app import (
    ManagedEnvironmentsStorage,
    ManagedEnvironmentStoragePropertiesArgs,
    NfsAzureFilePropertiesArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_azure_native.storage import (
    DeleteRetentionPolicyArgs,
    FileServiceProperties,
    FileShare,
    SkuArgs,
    StorageAccount,
)

from alien_iac.models.arguments import ContainerArguments
from alien_iac.protocol.environment import volume_name
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Context
from alien_iac_azure import account, encryption, environments, naming, network, sizes
from alien_iac_azure.shared import group

DELETED_DAYS = 14
GIB_PRICE = 0.16


@dataclass(frozen=True, kw_only=True)
class Volume:
    """One volume as it was made."""

    mount_path: str
    mount: ManagedEnvironmentsStorage
    share: FileShare
    name: str
    place: str
    gib: int


@dataclass(frozen=True, kw_only=True)
class Volumes:
    """All volumes of a Container."""

    volumes: tuple[Volume, ...] = ()
    native: dict[str, Any]

    @property
    def ready(self) -> tuple[pulumi.Resource, ...]:
        return tuple(volume.mount for volume in self.volumes)

    @property
    def declared(self) -> list[VolumeArgs]:
        """As a Container App names them."""
        return [VolumeArgs(name=v.name, storage_name=v.name, storage_type="NfsAzureFile") for v in self.volumes]

    @property
    def mounts(self) -> list[VolumeMountArgs]:
        """Where its container has them."""
        return [VolumeMountArgs(volume_name=v.name, mount_path=v.mount_path) for v in self.volumes]

    @property
    def idle(self) -> dict[str, str]:
        """What they cost."""
        return {f"volume {v.name} ({v.gib} GiB)": f"USD {v.gib * GIB_PRICE:.2f}" for v in self.volumes}


def build(context: Context, arguments: ContainerArguments) -> Volumes:
    """An account for the Container, and a share and a mount for each volume.

    Roles: `accounts`, `account-settings`, `volumes` (the shares), `mounts`.
    """
    if not arguments.volumes:
        return Volumes(native={})
    name = naming.name(context.deployment.config, "account", context.declared.id, "volumes")
    store, settings = _account(context, name)
    waiting = context.waiting_for([settings])
    made = tuple(
        _volume(waiting, store, name, volume.mount_path, sizes.share_gib(volume.size)) for volume in arguments.volumes
    )
    native = {
        "accounts": [store],
        "account-settings": [settings],
        "volumes": [volume.share for volume in made],
        "mounts": [volume.mount for volume in made],
    }
    return Volumes(volumes=made, native=native)


def kept(context: Context, volumes: Volumes) -> tuple[Kept, ...]:
    """What outlives the deployment."""
    return tuple(Kept(id=context.declared.id, type="volume", place=volume.place) for volume in volumes.volumes)


def _account(context: Context, name: str) -> tuple[StorageAccount, FileServiceProperties]:
    subnets = network.admitted(context, [context.declared])
    props, needed = account.props(
        context, name, admitted=subnets, resource=context.declared.id, holding=encryption.FILES
    )
    props |= {"kind": "FileStorage", "sku": SkuArgs(name="Premium_ZRS")}
    # NFS has no TLS of its own: it never leaves the subnet, and only that subnet is let in.
    props["enable_https_traffic_only"] = False
    del props["access_tier"]
    store = context.waiting_for(needed).native("accounts", StorageAccount, props, suffix="volumes", kept=True)
    deleted = DeleteRetentionPolicyArgs(enabled=True, days=DELETED_DAYS)
    settings = {
        "resource_group_name": group(context),
        "account_name": store.name,
        "file_services_name": "default",
        "share_delete_retention_policy": deleted,
    }
    return store, context.native(
        "account-settings", FileServiceProperties, settings, suffix="volumes-settings", kept=True
    )


def _volume(context: Context, store: StorageAccount, account_name: str, mount_path: str, gib: int) -> Volume:
    name = volume_name(mount_path).removeprefix("ALIEN_VOLUME_").lower().replace("_", "-")
    config, resource = context.deployment.config, context.declared.id
    share_name = naming.name(config, "container", resource, name)
    share = {
        "resource_group_name": group(context),
        "account_name": store.name,
        "share_name": share_name,
        "enabled_protocols": "NFS",
        "root_squash": "NoRootSquash",
        "share_quota": gib,
    }
    made = context.native("volumes", FileShare, share, suffix=name, kept=True)
    full = naming.name(config, "app", resource, name)
    where = NfsAzureFilePropertiesArgs(
        server=f"{account_name}.file.core.windows.net",
        share_name=f"/{account_name}/{share_name}",
        access_mode="ReadWrite",
    )
    props = {
        "resource_group_name": group(context),
        "environment_name": environments.of(context, context.declared).name,
        "storage_name": full,
        "properties": ManagedEnvironmentStoragePropertiesArgs(nfs_azure_file=where),
    }
    ready = environments.of(context, context.declared).ready
    mount = context.waiting_for([made, *ready]).native(
        "mounts", ManagedEnvironmentsStorage, props, suffix=f"{name}-mount"
    )
    return Volume(
        mount_path=mount_path,
        mount=mount,
        share=made,
        name=full,
        place=f"{account_name}/{share_name}",
        gib=gib,
    )
