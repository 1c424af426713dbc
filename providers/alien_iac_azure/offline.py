"""Outputs that Azure would give a resource, made up from its inputs, so that grants come out whole without a cloud.

Synthetic: no subscription has what they name. A template is filled from the resource's inputs.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from alien_iac_azure.place import Place, place

Outputs = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]

_ACCOUNT = "Microsoft.Storage/storageAccounts/{accountName}"
_BLOBS, _FILES = f"{_ACCOUNT}/blobServices/default", f"{_ACCOUNT}/fileServices/default"
_APP, _ENVIRONMENT = (
    "Microsoft.App/containerApps/{containerAppName}",
    "Microsoft.App/managedEnvironments/{environmentName}",
)
_ZONE = "Microsoft.Network/privateDnsZones/{privateZoneName}"
_SITE = "Microsoft.Web/sites/{name}"
_TOPIC = "Microsoft.EventGrid/systemTopics/{systemTopicName}"
_WATCHER = "Microsoft.Network/networkWatchers/{networkWatcherName}"

IDS: Mapping[str, str] = {
    "azure-native:app:ContainerApp": _APP,
    "azure-native:app:ContainerAppsAuthConfig": f"{_APP}/authConfigs/{{authConfigName}}",
    "azure-native:app:Job": "Microsoft.App/jobs/{jobName}",
    "azure-native:app:ManagedCertificate": f"{_ENVIRONMENT}/managedCertificates/{{managedCertificateName}}",
    "azure-native:app:ManagedEnvironment": _ENVIRONMENT,
    "azure-native:app:ManagedEnvironmentsStorage": f"{_ENVIRONMENT}/storages/{{storageName}}",
    "azure-native:containerregistry:Registry": "Microsoft.ContainerRegistry/registries/{registryName}",
    "azure-native:eventgrid:SystemTopic": _TOPIC,
    "azure-native:eventgrid:SystemTopicEventSubscription": f"{_TOPIC}/eventSubscriptions/{{eventSubscriptionName}}",
    "azure-native:keyvault:Vault": "Microsoft.KeyVault/vaults/{vaultName}",
    "azure-native:managedidentity:UserAssignedIdentity": (
        "Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}"
    ),
    "azure-native:network:FlowLog": f"{_WATCHER}/flowLogs/{{flowLogName}}",
    "azure-native:network:NetworkSecurityGroup": "Microsoft.Network/networkSecurityGroups/{networkSecurityGroupName}",
    "azure-native:network:VirtualNetwork": "Microsoft.Network/virtualNetworks/{virtualNetworkName}",
    "azure-native:operationalinsights:Workspace": "Microsoft.OperationalInsights/workspaces/{workspaceName}",
    "azure-native:privatedns:PrivateRecordSet": f"{_ZONE}/{{recordType}}/{{relativeRecordSetName}}",
    "azure-native:privatedns:PrivateZone": _ZONE,
    "azure-native:privatedns:VirtualNetworkLink": f"{_ZONE}/virtualNetworkLinks/{{virtualNetworkLinkName}}",
    "azure-native:resources:Deployment": "Microsoft.Resources/deployments/{deploymentName}",
    "azure-native:servicebus:Namespace": "Microsoft.ServiceBus/namespaces/{namespaceName}",
    "azure-native:servicebus:Queue": "Microsoft.ServiceBus/namespaces/{namespaceName}/queues/{queueName}",
    "azure-native:storage:BlobContainer": f"{_BLOBS}/containers/{{containerName}}",
    "azure-native:storage:BlobServiceProperties": _BLOBS,
    "azure-native:storage:FileServiceProperties": _FILES,
    "azure-native:storage:FileShare": f"{_FILES}/shares/{{shareName}}",
    "azure-native:storage:ManagementPolicy": f"{_ACCOUNT}/managementPolicies/default",
    "azure-native:storage:StorageAccount": _ACCOUNT,
    "azure-native:storage:Table": f"{_ACCOUNT}/tableServices/default/tables/{{tableName}}",
    "azure-native:web:AppServicePlan": "Microsoft.Web/serverfarms/{name}",
    "azure-native:web:WebApp": _SITE,
    "azure-native:web:WebAppAuthSettingsV2": f"{_SITE}/config/authsettingsV2",
    "azure-native:web:WebAppFtpAllowed": f"{_SITE}/basicPublishingCredentialsPolicies/ftp",
    "azure-native:web:WebAppScmAllowed": f"{_SITE}/basicPublishingCredentialsPolicies/scm",
}
"""The id of each type within its resource group."""

ELSEWHERE: Mapping[str, str] = {
    "azure-native:authorization:RoleAssignment": (
        "{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}"
    ),
    "azure-native:monitor:DiagnosticSetting": "{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}",
    "azure-native:resources:ResourceGroup": "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}",
}
"""The whole id of the types that are in no resource group of their own."""

TYPES = frozenset(IDS) | frozenset(ELSEWHERE)
"""The tokens of all native resources that this package makes."""


def outputs(settings: Mapping[str, Any]) -> Outputs:
    """The outputs of any resource of a deployment with this config. Raises ConfigInvalid without a place."""
    return lambda kind, logical, inputs: _outputs(settings, kind, logical, inputs)


def _outputs(settings: Mapping[str, Any], kind: str, logical: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    if kind not in TYPES:
        return {}
    where = place(settings)
    identity = _id(where, kind, inputs)
    return {"id": identity, "name": identity.rpartition("/")[2], **_identity(inputs), **_more(where, kind, logical)}


def _id(where: Place, kind: str, inputs: Mapping[str, Any]) -> str:
    if kind in ELSEWHERE:
        return ELSEWHERE[kind].format_map({"subscription": where.subscription, **inputs})
    group = f"/subscriptions/{where.subscription}/resourceGroups/{inputs['resourceGroupName']}"
    return f"{group}/providers/{IDS[kind].format_map(inputs)}"


def _identity(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Azure takes a list of identities, and gives back what it knows of each."""
    given = inputs.get("identity")
    if not isinstance(given, Mapping) or "userAssignedIdentities" not in given:
        return {}
    known: dict[str, Any] = {user: {} for user in given["userAssignedIdentities"]}
    return {"identity": {**given, "userAssignedIdentities": known}}


def _more(where: Place, kind: str, logical: str) -> Mapping[str, Any]:
    if kind == "azure-native:managedidentity:UserAssignedIdentity":
        made = {name: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}:{logical}")) for name in ("principalId", "clientId")}
        return {**made, "tenantId": where.tenant}
    if kind == "azure-native:app:ManagedEnvironment":
        return {
            "defaultDomain": f"{logical}-0123abcd.{where.location}.azurecontainerapps.io",
            "staticIp": "10.0.2.4",
            "customDomainConfiguration": {"customDomainVerificationId": "0" * 64},
        }
    return {}
