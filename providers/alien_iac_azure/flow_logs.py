"""What went through the deployment's network, kept for a month in an account of its own.

Azure keeps one network watcher a region, in a resource group of its own, so a deployment that is confined to the
customer's group has none: `checks` says so.
"""

from pulumi_azure_native.authorization import RoleAssignment
from pulumi_azure_native.managedidentity import UserAssignedIdentity
from pulumi_azure_native.network import (
    FlowLog,
    FlowLogFormatParametersArgs,
    ManagedServiceIdentityArgs,
    ResourceIdentityType,
    RetentionPolicyParametersArgs,
    VirtualNetwork,
)
from pulumi_azure_native.storage import StorageAccount

from alien_iac.resources.context import Context
from alien_iac_azure import account, naming
from alien_iac_azure.access import BLOB_WRITER, assigned
from alien_iac_azure.place import place
from alien_iac_azure.shared import after, shared

DAYS = 30
_WATCHERS = "NetworkWatcherRG"


def build(context: Context, network: VirtualNetwork) -> FlowLog:
    """The log, its account, and the identity that writes there and nowhere else."""
    config, where = context.deployment.config, place(context.deployment.settings)
    name = naming.shared_name(config, "account", "flows")
    props, needed = account.props(context, name, admitted=())
    store = context.shared.shared(after(StorageAccount, needed), "network-flows-account", props)
    user = shared(
        context,
        UserAssignedIdentity,
        "network-flows",
        {"resource_name_": naming.shared_name(config, "identity", "flows")},
    )
    may = assigned(context, user.principal_id, BLOB_WRITER, store.id, ("network", "flows"))
    grant = context.shared.shared(RoleAssignment, "network-flows-grant", may)
    log = {
        "flow_log_name": naming.shared_name(config, "network", "flows"),
        "resource_group_name": _WATCHERS,
        "network_watcher_name": f"NetworkWatcher_{where.location}",
        "location": where.location,
        "target_resource_id": network.id,
        "storage_id": store.id,
        "identity": ManagedServiceIdentityArgs(
            type=ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[user.id]
        ),
        "enabled": True,
        "format": FlowLogFormatParametersArgs(type="JSON", version=2),
        "retention_policy": RetentionPolicyParametersArgs(enabled=True, days=DAYS),
        "tags": naming.tags(config),
    }
    made: FlowLog = context.shared.shared(after(FlowLog, [grant]), "network-flows-log", log)
    return made
