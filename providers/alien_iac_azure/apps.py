"""A Container App: what a Container, and a Function from an image, have in common."""

from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_azure_native.app import (
    ConfigurationArgs,
    ContainerApp,
    ContainerAppProbeArgs,
    ContainerArgs,
    ContainerResourcesArgs,
    EnvironmentVarArgs,
    IngressArgs,
    ManagedServiceIdentityArgs,
    ScaleArgs,
    TemplateArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_azure_native.managedidentity import UserAssignedIdentity

from alien_iac.resources.context import Context
from alien_iac_azure import environments, naming
from alien_iac_azure.image import Imported
from alien_iac_azure.shared import inside
from alien_iac_azure.sizes import Size
from alien_iac_azure.workload import Variables, command

_REVISIONS = 5
STOP_S = 30


@dataclass(frozen=True, kw_only=True)
class App:
    """What an app is made of."""

    identity: UserAssignedIdentity
    image: Imported
    size: Size
    variables: Variables
    scale: ScaleArgs
    ingress: IngressArgs | None = None
    probes: list[ContainerAppProbeArgs] = field(default_factory=list)
    volumes: list[VolumeArgs] = field(default_factory=list)
    mounts: list[VolumeMountArgs] = field(default_factory=list)


def build(context: Context, app: App, ready: tuple[pulumi.Resource, ...]) -> ContainerApp:
    """The app, once all of `ready` is there. Role: `app`."""
    where = environments.of(context, context.declared)
    props: dict[str, Any] = {
        **inside(context, resource=context.declared.id),
        "container_app_name": naming.name(context.deployment.config, "app", context.declared.id),
        "environment_id": where.id,
        "workload_profile_name": environments.PROFILE,
        "identity": identities(app.identity, app.image),
        "configuration": ConfigurationArgs(
            active_revisions_mode="Single",
            max_inactive_revisions=_REVISIONS,
            ingress=app.ingress,
            registries=app.image.registries,
            identity_settings=app.image.hidden,
        ),
        "template": TemplateArgs(
            containers=[container(context, app)],
            scale=app.scale,
            volumes=app.volumes,
            termination_grace_period_seconds=STOP_S,
        ),
    }
    return context.waiting_for([app.image.may, *where.ready, *ready]).native("app", ContainerApp, props)


def container(context: Context, app: App) -> ContainerArgs:
    """The one container of an app."""
    return ContainerArgs(
        name="main",
        image=app.image.reference,
        command=command(context),
        env=[EnvironmentVarArgs(name=name, value=value) for name, value in sorted(app.variables.items())],
        resources=ContainerResourcesArgs(cpu=app.size.cpu, memory=app.size.memory),
        probes=app.probes,
        volume_mounts=app.mounts,
    )


def identities(identity: UserAssignedIdentity, image: Imported) -> ManagedServiceIdentityArgs:
    """The app's own, and the one that pulls its image."""
    return ManagedServiceIdentityArgs(type="UserAssigned", user_assigned_identities=[identity.id, image.puller.id])
