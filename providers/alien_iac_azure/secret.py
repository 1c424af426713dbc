"""Secret on Azure is a Key Vault of its own with one secret in it, made without a value.

Customer and vendor set the value later with `alien secret set`, through Azure's management interface, so that the vault
itself stays closed to all networks but its readers'. A generated one is made by Azure, in a template whose parameters
are two new GUIDs: neither Pulumi nor its state, encrypted or not, ever holds the value.
"""

from typing import Any

from pulumi_azure_native.keyvault import (
    NetworkRuleSetArgs,
    SkuArgs,
    SkuName,
    Vault,
    VaultPropertiesArgs,
    VirtualNetworkRuleArgs,
)
from pulumi_azure_native.monitor import DiagnosticSetting
from pulumi_azure_native.resources import Deployment, DeploymentMode, DeploymentParameterArgs, DeploymentPropertiesArgs

from alien_iac.models.arguments import SecretArguments
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_azure import logs, naming, network
from alien_iac_azure.place import place
from alien_iac_azure.shared import group_name, inside, once

_DELETED_DAYS = 90
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_API = "2023-07-01"


def build(context: Context) -> Built:
    """The vault. Outputs: `name` (of the secret), `vault`, `id` (of the vault)."""
    arguments, resource = context.declared.arguments, context.declared.id
    if not isinstance(arguments, SecretArguments):
        raise TypeError(context.declared.kind)
    name = naming.name(context.deployment.config, "vault", resource)
    vault = context.native("vault", Vault, _vault(context, name), kept=True)
    generated = arguments.provided_by == "generated"
    audit = context.native("audit", DiagnosticSetting, logs.sent(context, vault.id, "AuditEvent"), suffix="audit")
    made = (
        {"value": context.native("value", once(Deployment), _value(context, vault), suffix="value", kept=True)}
        if generated
        else {}
    )
    return Built(
        outputs={"name": naming.SECRET, "vault": name, "id": vault.id},
        native={"vault": vault, "audit": audit, **made},
        needed=(vault, *made.values()),
        kept=(Kept(id=resource, type="secret", place=name),),
        secret=_place(context, name),
    )


def _vault(context: Context, name: str) -> dict[str, Any]:
    rules = [
        VirtualNetworkRuleArgs(id=subnet, ignore_missing_vnet_service_endpoint=False)
        for subnet in network.of_users(context)
    ]
    properties = VaultPropertiesArgs(
        sku=SkuArgs(family="A", name=SkuName.STANDARD),
        tenant_id=place(context.deployment.settings).tenant,
        enable_rbac_authorization=True,
        enable_purge_protection=True,
        enable_soft_delete=True,
        soft_delete_retention_in_days=_DELETED_DAYS,
        enabled_for_deployment=False,
        enabled_for_disk_encryption=False,
        enabled_for_template_deployment=False,
        public_network_access="Enabled",
        network_acls=NetworkRuleSetArgs(default_action="Deny", bypass="AzureServices", virtual_network_rules=rules),
    )
    return {**inside(context, resource=context.declared.id), "vault_name": name, "properties": properties}


def _value(context: Context, vault: Vault) -> dict[str, Any]:
    """A template that makes the value where there is none in the vault: it runs once, when this is made."""
    template = {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {
            "vault": {"type": "string"},
            "first": {"type": "securestring", "defaultValue": "[newGuid()]"},
            "second": {"type": "securestring", "defaultValue": "[newGuid()]"},
        },
        "resources": [
            {
                "type": "Microsoft.KeyVault/vaults/secrets",
                "apiVersion": _API,
                "name": f"[concat(parameters('vault'), '/{naming.SECRET}')]",
                "properties": {
                    "value": "[replace(concat(parameters('first'), parameters('second')), '-', '')]",
                    "contentType": "text/plain",
                },
            }
        ],
    }
    properties = DeploymentPropertiesArgs(
        mode=DeploymentMode.INCREMENTAL,
        template=template,
        parameters={"vault": DeploymentParameterArgs(value=vault.name)},
    )
    return {
        # Without tags: Azure runs a template anew when they change, and there would be another value.
        "resource_group_name": inside(context)["resource_group_name"],
        "deployment_name": naming.name(context.deployment.config, "deployment", context.declared.id),
        "properties": properties,
    }


def _place(context: Context, vault: str) -> str:
    """The id under which Azure's management interface takes the value."""
    subscription = place(context.deployment.settings).subscription
    group = f"/subscriptions/{subscription}/resourceGroups/{group_name(context)}"
    return f"{group}/providers/Microsoft.KeyVault/vaults/{vault}/secrets/{naming.SECRET}"
