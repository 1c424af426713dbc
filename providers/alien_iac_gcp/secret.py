"""Secret on Google Cloud is a secret of Secret Manager, kept in the deployment's own region.

Customer and vendor set its value later, with `alien secret set`. A generated one is made by Pulumi's provider `random`;
the value is a Pulumi secret, encrypted in the state.
"""

from typing import Any

import pulumi
from pulumi_gcp.secretmanager import (
    Secret,
    SecretReplicationArgs,
    SecretReplicationUserManagedArgs,
    SecretReplicationUserManagedReplicaArgs,
    SecretReplicationUserManagedReplicaCustomerManagedEncryptionArgs,
    SecretVersion,
)
from pulumi_random.provider import Provider as RandomProvider
from pulumi_random.random_password import RandomPassword

from alien_iac.models.arguments import SecretArguments
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_gcp import naming
from alien_iac_gcp.encryption import keyed
from alien_iac_gcp.place import place
from alien_iac_gcp.shared import provided_by, with_apis

_LENGTH = 40
_DESTROY_AFTER = "604800s"
"""A version that was destroyed by mistake can be had back for a week."""


def build(context: Context) -> Built:
    """The secret, and its first value where that is generated. Outputs: `name`, `id`."""
    arguments, resource = context.declared.arguments, context.declared.id
    if not isinstance(arguments, SecretArguments):
        raise TypeError(context.declared.kind)
    context, key = keyed(with_apis(context, "secretmanager"), "secretmanager")
    name = naming.name(context.deployment.config, "secret", resource)
    secret = context.native("secret", Secret, _props(context, name, key), kept=True)
    native: dict[str, pulumi.Resource] = {"secret": secret}
    if arguments.provided_by == "generated":
        native |= _generated(context, secret)
    return Built(
        outputs={"name": name, "id": secret.id},
        native=native,
        needed=tuple(native.values()),
        kept=(Kept(id=resource, type="secret", place=name),),
        secret=name,
    )


def _generated(context: Context, secret: Secret) -> dict[str, pulumi.Resource]:
    random = context.shared.shared(_random, "random", {})
    make = provided_by(RandomPassword, random)
    value = context.native("value", make, {"length": _LENGTH, "special": False}, suffix="value", kept=True)
    props = {"secret": secret.id, "secret_data": value.result}
    version = context.native("version", SecretVersion, props, suffix="version", kept=True)
    return {"value": value, "version": version}


def _random(name: str, *, opts: pulumi.ResourceOptions) -> RandomProvider:
    """A provider is made by none."""
    return RandomProvider(name, opts=pulumi.ResourceOptions(parent=opts.parent))


def _props(context: Context, name: str, key: str | None) -> dict[str, Any]:
    encryption = SecretReplicationUserManagedReplicaCustomerManagedEncryptionArgs(kms_key_name=key) if key else None
    replica = SecretReplicationUserManagedReplicaArgs(
        location=place(context.deployment.settings).region, customer_managed_encryption=encryption
    )
    return {
        "secret_id": name,
        "replication": SecretReplicationArgs(user_managed=SecretReplicationUserManagedArgs(replicas=[replica])),
        "version_destroy_ttl": _DESTROY_AFTER,
        "labels": {"resource": context.declared.id},
    }
