"""What each machine of a group is made like: Container-Optimized OS, shielded, with no address of the internet's."""

from typing import Any

import pulumi
from pulumi_gcp.compute import (
    InstanceTemplate,
    InstanceTemplateDiskArgs,
    InstanceTemplateDiskDiskEncryptionKeyArgs,
    InstanceTemplateNetworkInterfaceArgs,
    InstanceTemplateSchedulingArgs,
    InstanceTemplateServiceAccountArgs,
    InstanceTemplateShieldedInstanceConfigArgs,
)

from alien_iac.models.arguments import ContainerArguments
from alien_iac.resources.context import Context
from alien_iac_gcp import naming
from alien_iac_gcp.cloud_init import Program, user_data
from alien_iac_gcp.disks import device
from alien_iac_gcp.encryption import keyed
from alien_iac_gcp.image import Imported
from alien_iac_gcp.network import Joined
from alien_iac_gcp.place import place
from alien_iac_gcp.placement import tag
from alien_iac_gcp.sizes import asked, machine
from alien_iac_gcp.workload import account_of, environment, of_image

IMAGE = "projects/cos-cloud/global/images/family/cos-stable"
_BOOT_GIB = 20


def template(context: Context, arguments: ContainerArguments, image: Imported, where: Joined) -> InstanceTemplate:
    """The template. A change makes a new one, so its name is Google's to finish. Role: `template`."""
    context, key = keyed(context, "compute")
    size = machine(asked(arguments))
    if size is None:
        raise ValueError(arguments)
    props: dict[str, Any] = {
        "name_prefix": f"{naming.name(context.deployment.config, 'template', context.declared.id)}-",
        "description": f"Container {context.declared.id} of {context.deployment.config.prefix}",
        "machine_type": size.type,
        "can_ip_forward": False,
        "disks": [_boot(key)],
        "network_interfaces": [InstanceTemplateNetworkInterfaceArgs(subnetwork=where.subnetwork)],
        "service_account": InstanceTemplateServiceAccountArgs(
            email=account_of(context), scopes=["https://www.googleapis.com/auth/cloud-platform"]
        ),
        "shielded_instance_config": InstanceTemplateShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_vtpm=True, enable_integrity_monitoring=True
        ),
        "scheduling": InstanceTemplateSchedulingArgs(automatic_restart=True, on_host_maintenance="MIGRATE"),
        "tags": [tag(context, context.declared.id)],
        "labels": {"resource": context.declared.id},
        "metadata": _metadata(context, arguments, image),
    }
    return context.native("template", InstanceTemplate, props, suffix="template")


def _boot(key: str | None) -> InstanceTemplateDiskArgs:
    encryption = InstanceTemplateDiskDiskEncryptionKeyArgs(kms_key_self_link=key) if key else None
    return InstanceTemplateDiskArgs(
        boot=True,
        auto_delete=True,
        source_image=IMAGE,
        disk_type="pd-balanced",
        disk_size_gb=_BOOT_GIB,
        disk_encryption_key=encryption,
    )


def _metadata(context: Context, arguments: ContainerArguments, image: Imported) -> dict[str, pulumi.Input[str]]:
    region = place(context.deployment.settings).region

    def told(values: dict[str, Any]) -> str:
        program = Program(
            image=str(values["image"]),
            registry=f"{region}-docker.pkg.dev",
            env=values["env"],
            command=of_image(context.declared) or (),
            disks={device(volume): volume.mount_path for volume in arguments.volumes},
            port=arguments.port,
        )
        return user_data(program)

    known = pulumi.Output.all(image=image.reference, env=environment(context))
    return {
        "user-data": known.apply(told),
        "google-logging-enabled": "true",
        "cos-update-strategy": "update_enabled",
        "block-project-ssh-keys": "TRUE",
        "enable-oslogin": "TRUE",
        "serial-port-enable": "FALSE",
    }
