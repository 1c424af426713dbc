"""Storage on Azure is a container of blobs in a storage account of its own."""

from typing import Any

import pulumi
from pulumi_azure_native.eventgrid import IdentityInfoArgs, SystemTopic, UserIdentityPropertiesArgs
from pulumi_azure_native.storage import (
    BlobContainer,
    BlobServiceProperties,
    DateAfterCreationArgs,
    DateAfterModificationArgs,
    DeleteRetentionPolicyArgs,
    ManagementPolicy,
    ManagementPolicyActionArgs,
    ManagementPolicyBaseBlobArgs,
    ManagementPolicyDefinitionArgs,
    ManagementPolicyFilterArgs,
    ManagementPolicyRuleArgs,
    ManagementPolicySchemaArgs,
    ManagementPolicyVersionArgs,
    StorageAccount,
)

from alien_iac.models.arguments import DAY, StorageArguments
from alien_iac.models.units import parse_seconds
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context, Exposure
from alien_iac_azure import access, account, naming, network
from alien_iac_azure.shared import inside

DELETED_DAYS = 14
"""How long a deleted object, or an older version, can be brought back."""


def build(context: Context) -> Built:
    """The account, the container, and its events where a Function waits for them.

    Outputs: `name` (of the container), `account`, `id`, `account_id`.
    """
    arguments, config, resource = context.declared.arguments, context.deployment.config, context.declared.id
    if not isinstance(arguments, StorageArguments):
        raise TypeError(context.declared.kind)
    name, container_name = naming.name(config, "account", resource), naming.name(config, "container", resource)
    store = _account(context, arguments, name)
    where = {"resource_group_name": inside(context)["resource_group_name"], "account_name": store.name}
    settings = context.native(
        "settings", BlobServiceProperties, where | _settings(arguments), suffix="settings", kept=True
    )
    public = "Blob" if arguments.public_read else "None"
    container_props = {**where, "container_name": container_name, "public_access": public}
    container = context.native("container", BlobContainer, container_props, suffix="container", kept=True)
    native: dict[str, Any] = {"account": store, "container": container, "settings": settings}
    waiting = context.waiting_for([settings])
    policy = where | {"management_policy_name": "default", "policy": _lifecycle(arguments, container_name)}
    native["lifecycle"] = waiting.native("lifecycle", ManagementPolicy, policy, suffix="lifecycle", kept=True)
    if context.consumers:
        native |= _events(context, store)
    anybody = Exposure(resource=resource, from_="internet", how="https, to read objects")
    return Built(
        outputs={"name": container_name, "account": name, "id": container.id, "account_id": store.id},
        native=native,
        needed=(store, container, settings),
        kept=(Kept(id=resource, type="storage", place=f"{name}/{container_name}"),),
        exposure=(anybody,) if arguments.public_read else (),
    )


def _account(context: Context, arguments: StorageArguments, name: str) -> StorageAccount:
    admitted = None if arguments.public_read else network.of_users(context)
    props, needed = account.props(context, name, admitted=admitted, resource=context.declared.id)
    props["allow_blob_public_access"] = arguments.public_read
    return context.waiting_for(needed).native("account", StorageAccount, props, kept=True)


def _settings(arguments: StorageArguments) -> dict[str, Any]:
    deleted = DeleteRetentionPolicyArgs(enabled=True, days=DELETED_DAYS)
    return {
        "blob_services_name": "default",
        "is_versioning_enabled": arguments.versioned,
        "delete_retention_policy": deleted,
        "container_delete_retention_policy": deleted,
    }


def _lifecycle(arguments: StorageArguments, container: str) -> ManagementPolicySchemaArgs:
    """Older versions go after a while, and objects where their author says so."""
    old = ManagementPolicyVersionArgs(delete=DateAfterCreationArgs(days_after_creation_greater_than=DELETED_DAYS))
    rules = [_rule("versions", container, ManagementPolicyActionArgs(version=old))]
    if arguments.expire_after:
        age = DateAfterModificationArgs(days_after_modification_greater_than=days(arguments.expire_after))
        rules.append(
            _rule("expire", container, ManagementPolicyActionArgs(base_blob=ManagementPolicyBaseBlobArgs(delete=age)))
        )
    return ManagementPolicySchemaArgs(rules=rules)


def _rule(name: str, container: str, actions: ManagementPolicyActionArgs) -> ManagementPolicyRuleArgs:
    filters = ManagementPolicyFilterArgs(blob_types=["blockBlob"], prefix_match=[f"{container}/"])
    definition = ManagementPolicyDefinitionArgs(actions=actions, filters=filters)
    return ManagementPolicyRuleArgs(name=name, type="Lifecycle", enabled=True, definition=definition)


def days(duration: str) -> int:
    """Whole days, upwards: Azure counts no less."""
    return -(-parse_seconds(duration) // DAY)


def _events(context: Context, store: StorageAccount) -> dict[str, pulumi.Resource]:
    """The account's topic of events: it has one only, and each Function has its own subscription to it."""
    user = access.identity(context, role="events-identity", part="events")
    known = user.id.apply(lambda user_id: {user_id: UserIdentityPropertiesArgs()})
    props = {
        **inside(context, resource=context.declared.id),
        "system_topic_name": naming.name(context.deployment.config, "topic", context.declared.id),
        "source": store.id,
        "topic_type": "Microsoft.Storage.StorageAccounts",
        "identity": IdentityInfoArgs(type="UserAssigned", user_assigned_identities=known),
    }
    return {"events-identity": user, "events": context.native("events", SystemTopic, props, suffix="topic")}
