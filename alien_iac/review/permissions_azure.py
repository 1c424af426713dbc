"""What deploying each type of Azure resource takes: a literal table, and the role definition that is made of it."""

from collections.abc import Iterable, Mapping
from typing import Any

_PLAIN = ("read", "write", "delete")

RESOURCES: Mapping[str, str] = {
    "azure-native:app:ContainerApp": "Microsoft.App/containerApps",
    "azure-native:app:ContainerAppsAuthConfig": "Microsoft.App/containerApps/authConfigs",
    "azure-native:app:Job": "Microsoft.App/jobs",
    "azure-native:app:ManagedCertificate": "Microsoft.App/managedEnvironments/managedCertificates",
    "azure-native:app:ManagedEnvironment": "Microsoft.App/managedEnvironments",
    "azure-native:app:ManagedEnvironmentsStorage": "Microsoft.App/managedEnvironments/storages",
    "azure-native:applicationinsights:Component": "Microsoft.Insights/components",
    "azure-native:authorization:RoleAssignment": "Microsoft.Authorization/roleAssignments",
    "azure-native:containerregistry:Registry": "Microsoft.ContainerRegistry/registries",
    "azure-native:eventgrid:EventSubscription": "Microsoft.EventGrid/eventSubscriptions",
    "azure-native:eventgrid:SystemTopic": "Microsoft.EventGrid/systemTopics",
    "azure-native:eventgrid:SystemTopicEventSubscription": "Microsoft.EventGrid/systemTopics/eventSubscriptions",
    "azure-native:keyvault:Secret": "Microsoft.KeyVault/vaults/secrets",
    "azure-native:keyvault:Vault": "Microsoft.KeyVault/vaults",
    "azure-native:managedidentity:UserAssignedIdentity": "Microsoft.ManagedIdentity/userAssignedIdentities",
    "azure-native:monitor:DiagnosticSetting": "Microsoft.Insights/diagnosticSettings",
    "azure-native:network:FlowLog": "Microsoft.Network/networkWatchers/flowLogs",
    "azure-native:network:NatGateway": "Microsoft.Network/natGateways",
    "azure-native:network:NetworkSecurityGroup": "Microsoft.Network/networkSecurityGroups",
    "azure-native:network:NetworkWatcher": "Microsoft.Network/networkWatchers",
    "azure-native:network:PrivateEndpoint": "Microsoft.Network/privateEndpoints",
    "azure-native:network:PublicIPAddress": "Microsoft.Network/publicIPAddresses",
    "azure-native:network:Subnet": "Microsoft.Network/virtualNetworks/subnets",
    "azure-native:network:VirtualNetwork": "Microsoft.Network/virtualNetworks",
    "azure-native:operationalinsights:Workspace": "Microsoft.OperationalInsights/workspaces",
    "azure-native:privatedns:PrivateRecordSet": "Microsoft.Network/privateDnsZones/A",
    "azure-native:privatedns:PrivateZone": "Microsoft.Network/privateDnsZones",
    "azure-native:privatedns:VirtualNetworkLink": "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "azure-native:resources:Deployment": "Microsoft.Resources/deployments",
    "azure-native:resources:ResourceGroup": "Microsoft.Resources/subscriptions/resourceGroups",
    "azure-native:servicebus:Namespace": "Microsoft.ServiceBus/namespaces",
    "azure-native:servicebus:NamespaceNetworkRuleSet": "Microsoft.ServiceBus/namespaces/networkRuleSets",
    "azure-native:servicebus:Queue": "Microsoft.ServiceBus/namespaces/queues",
    "azure-native:storage:BlobContainer": "Microsoft.Storage/storageAccounts/blobServices/containers",
    "azure-native:storage:BlobServiceProperties": "Microsoft.Storage/storageAccounts/blobServices",
    "azure-native:storage:FileServiceProperties": "Microsoft.Storage/storageAccounts/fileServices",
    "azure-native:storage:FileShare": "Microsoft.Storage/storageAccounts/fileServices/shares",
    "azure-native:storage:ManagementPolicy": "Microsoft.Storage/storageAccounts/managementPolicies",
    "azure-native:storage:StorageAccount": "Microsoft.Storage/storageAccounts",
    "azure-native:storage:Table": "Microsoft.Storage/storageAccounts/tableServices/tables",
    "azure-native:web:AppServicePlan": "Microsoft.Web/serverfarms",
    "azure-native:web:WebApp": "Microsoft.Web/sites",
    "azure-native:web:WebAppAuthSettingsV2": "Microsoft.Web/sites/config",
    "azure-native:web:WebAppFtpAllowed": "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    "azure-native:web:WebAppScmAllowed": "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
}
"""By type: the kind of resource in Azure's own words. Each is read, written and deleted."""
MORE: Mapping[str, str] = {
    "azure-native:app:ContainerApp": (
        "Microsoft.App/managedEnvironments/join/action Microsoft.App/locations/containerappOperationStatuses/read "
        "Microsoft.App/locations/containerappOperationResults/read "
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
    ),
    "azure-native:app:Job": (
        "Microsoft.App/managedEnvironments/join/action Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
    ),
    "azure-native:app:ManagedEnvironment": (
        "Microsoft.App/locations/managedEnvironmentOperationStatuses/read "
        "Microsoft.App/locations/managedEnvironmentOperationResults/read "
        "Microsoft.Network/virtualNetworks/subnets/join/action "
        "Microsoft.OperationalInsights/workspaces/sharedKeys/action"
    ),
    "azure-native:eventgrid:SystemTopicEventSubscription": "Microsoft.ServiceBus/namespaces/queues/write",
    "azure-native:keyvault:Vault": (
        "Microsoft.KeyVault/locations/deletedVaults/read Microsoft.KeyVault/locations/operationResults/read"
    ),
    "azure-native:network:NatGateway": "Microsoft.Network/publicIPAddresses/join/action",
    "azure-native:network:FlowLog": (
        "Microsoft.Network/virtualNetworks/read Microsoft.Storage/storageAccounts/listServiceSas/action "
        "Microsoft.Storage/storageAccounts/listAccountSas/action"
    ),
    "azure-native:network:PrivateEndpoint": "Microsoft.Network/virtualNetworks/subnets/join/action",
    "azure-native:network:VirtualNetwork": (
        "Microsoft.Network/virtualNetworks/subnets/read Microsoft.Network/virtualNetworks/subnets/write "
        "Microsoft.Network/networkSecurityGroups/join/action Microsoft.Network/natGateways/join/action"
    ),
    "azure-native:network:Subnet": (
        "Microsoft.Network/networkSecurityGroups/join/action Microsoft.Network/natGateways/join/action"
    ),
    "azure-native:privatedns:VirtualNetworkLink": "Microsoft.Network/virtualNetworks/join/action",
    "azure-native:resources:Deployment": (
        "Microsoft.Resources/deployments/operationstatuses/read Microsoft.KeyVault/vaults/secrets/read "
        "Microsoft.KeyVault/vaults/secrets/write"
    ),
    "azure-native:storage:StorageAccount": "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "azure-native:web:WebApp": (
        "Microsoft.Web/sites/config/read Microsoft.Web/sites/config/write Microsoft.Web/sites/config/list/action "
        "Microsoft.Web/sites/publishxml/action Microsoft.Web/sites/restart/action "
        "Microsoft.Network/virtualNetworks/subnets/join/action "
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
    ),
    "alien:index:Image": (
        "Microsoft.ContainerRegistry/registries/pull/read Microsoft.ContainerRegistry/registries/push/write"
    ),
}
"""By type: further actions on the control plane."""
DATA: Mapping[str, str] = {
    "alien:index:Artifact": (
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read "
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write "
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete"
    ),
}
"""By type: actions on data."""
OTHERS = frozenset({"random:index/randomPassword:RandomPassword", "random:index/randomUuid:RandomUuid"})
"""Types that are not of Azure, and need nothing there."""


def types() -> frozenset[str]:
    """All that the tables know."""
    return frozenset({*RESOURCES, *MORE, *DATA, *OTHERS})


def definition(kinds: Iterable[str], known: Mapping[str, str]) -> dict[str, Any]:
    """The role definition for these types, as `az role definition create` takes it. `known`: prefix and scope."""
    found = list(kinds)
    plain = {f"{RESOURCES[kind]}/{verb}" for kind in found if kind in RESOURCES for verb in _PLAIN}
    more = {action for kind in found for action in MORE.get(kind, "").split()}
    data = {action for kind in found for action in DATA.get(kind, "").split()}
    return {
        "Name": f"alien-iac deployer of {known['prefix']}",
        "IsCustom": True,
        "Description": "What deploying this takes. A role names no resources: its scope says where it holds",
        "Actions": sorted(plain | more),
        "NotActions": [],
        "DataActions": sorted(data),
        "NotDataActions": [],
        "AssignableScopes": [known["scope"]],
    }
