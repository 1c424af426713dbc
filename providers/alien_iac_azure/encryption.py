"""The customer's own key (`alien:encryptionKey`, the id of a key in a Key Vault) for every storage account."""

from typing import Any

import pulumi
from pulumi_azure_native.authorization import RoleAssignment
from pulumi_azure_native.managedidentity import UserAssignedIdentity
from pulumi_azure_native.storage import (
    EncryptionArgs,
    EncryptionIdentityArgs,
    EncryptionServiceArgs,
    EncryptionServicesArgs,
    IdentityArgs,
    KeyVaultPropertiesArgs,
)

from alien_iac.resources.context import Context
from alien_iac_azure import keys, naming
from alien_iac_azure.access import KEY_USER, assigned
from alien_iac_azure.shared import shared

GENERAL = ("blob", "file", "table", "queue")
"""What an account has that is for everything. Tables and queues take its key from the start: later they cannot."""
FILES = ("blob", "file")
"""What Azure encrypts in an account for files, which has neither tables nor queues."""


def account(context: Context, holding: tuple[str, ...] = GENERAL) -> tuple[dict[str, Any], tuple[pulumi.Resource, ...]]:
    """The encryption of a storage account, and what has to be there before it."""
    each = EncryptionServiceArgs(enabled=True, key_type="Account")
    services = EncryptionServicesArgs(**dict.fromkeys(holding, each))
    key = context.deployment.config.encryption_key
    if key is None:
        plain = EncryptionArgs(
            key_source="Microsoft.Storage", require_infrastructure_encryption=True, services=services
        )
        return {"encryption": plain}, ()
    user, grant = _user(context, key)
    vault, name = keys.parts(key)
    encryption = EncryptionArgs(
        key_source="Microsoft.Keyvault",
        key_vault_properties=KeyVaultPropertiesArgs(key_name=name, key_vault_uri=f"https://{vault}.vault.azure.net"),
        encryption_identity=EncryptionIdentityArgs(encryption_user_assigned_identity=user.id),
        require_infrastructure_encryption=True,
        services=services,
    )
    identity = IdentityArgs(type="UserAssigned", user_assigned_identities=[user.id])
    return {"encryption": encryption, "identity": identity}, (grant,)


def _user(context: Context, key: str) -> tuple[UserAssignedIdentity, RoleAssignment]:
    """The identity by which storage uses the key, and nothing else."""
    name = naming.shared_name(context.deployment.config, "identity", "encryption")
    user = shared(context, UserAssignedIdentity, "encryption", {"resource_name_": name})
    props = assigned(context, user.principal_id, KEY_USER, key, ("encryption",))
    return user, context.shared.shared(RoleAssignment, "encryption-key", props)
