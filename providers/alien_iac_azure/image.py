"""The image that a Container App runs, in the deployment's own registry: assembled from a source, or copied by digest.

One identity pulls for all of them, and no app's own code can act as it: a workload reads no other one's image.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native.app import IdentitySettingsArgs, RegistryCredentialsArgs
from pulumi_azure_native.authorization import RoleAssignment
from pulumi_azure_native.containerregistry import Registry, SkuArgs
from pulumi_azure_native.managedidentity import UserAssignedIdentity

from alien_iac.protocol.code import BASE
from alien_iac.resources.context import Context, Grant
from alien_iac.resources.native import Image
from alien_iac_azure import naming
from alien_iac_azure.access import IMAGE_PULLER, assigned
from alien_iac_azure.place import place
from alien_iac_azure.shared import shared

IDLE = {"image registry, once a deployment": "USD 5.08"}


@dataclass(frozen=True, kw_only=True)
class Imported:
    """An image that Container Apps can start."""

    reference: pulumi.Output[str]
    image: Image
    puller: UserAssignedIdentity
    server: str
    may: pulumi.Resource
    grant: Grant

    @property
    def registries(self) -> list[RegistryCredentialsArgs]:
        """Where it is pulled from, and as whom."""
        return [RegistryCredentialsArgs(server=self.server, identity=self.puller.id)]

    @property
    def hidden(self) -> list[IdentitySettingsArgs]:
        """The app's own code gets no token of the one that pulls."""
        return [IdentitySettingsArgs(identity=self.puller.id, lifecycle="None")]


def imported(context: Context) -> Imported:
    """The image. Role: `image`."""
    config, where = context.deployment.config, place(context.deployment.settings)
    name = naming.shared_name(config, "registry", "images")
    registry = _registry(context, name)
    user = shared(
        context,
        UserAssignedIdentity,
        "images-puller",
        {"resource_name_": naming.shared_name(config, "identity", "images")},
    )
    may = assigned(context, user.principal_id, IMAGE_PULLER, registry.id, ("images",))
    grant = context.shared.shared(RoleAssignment, "images-puller-grant", may)
    props: dict[str, Any] = {
        "repository": f"{name}.azurecr.io/{context.declared.id}",
        "identity": {"clientId": where.client} if where.client else None,
        **_source(context),
    }
    image = context.waiting_for([registry]).native("image", Image, props, suffix="image")
    policy = {"role": IMAGE_PULLER.name, "scope": registry.id}
    return Imported(
        reference=image.reference,
        image=image,
        puller=user,
        server=f"{name}.azurecr.io",
        may=grant,
        grant=Grant(workload=context.declared.id, resource="alien:images", verb="be pulled", policy=policy),
    )


def _registry(context: Context, name: str) -> Registry:
    props = {
        "registry_name": name,
        "sku": SkuArgs(name="Basic"),
        "admin_user_enabled": False,
        "anonymous_pull_enabled": False,
        "data_endpoint_enabled": False,
        "public_network_access": "Enabled",
    }
    made: Registry = shared(context, Registry, "images", props)
    return made


def _source(context: Context) -> dict[str, Any]:
    if context.artifact is None:
        return {"source": context.recorded.given["image"]}
    return {"source": str(context.artifact.path), "sha256": context.artifact.sha256, "base": BASE}
