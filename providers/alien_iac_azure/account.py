"""A storage account: what all of them have in common, whatever they are for.

A component has one of its own: versions, public reading, the firewall and the life of objects are an account's, and two
components must not decide them for each other.
"""

from collections.abc import Iterable
from typing import Any

import pulumi
from pulumi_azure_native.storage import Action, DefaultAction, NetworkRuleSetArgs, SkuArgs, VirtualNetworkRuleArgs

from alien_iac.resources.context import Context
from alien_iac_azure import encryption
from alien_iac_azure.shared import inside

Subnets = Iterable[pulumi.Input[str]]


def props(
    context: Context,
    name: str,
    *,
    admitted: Subnets | None,
    resource: str | None = None,
    holding: tuple[str, ...] = encryption.GENERAL,
) -> tuple[dict[str, Any], tuple[pulumi.Resource, ...]]:
    """The properties of an account, and what has to be there before it.

    `admitted`: the subnets from which it can be reached; None for one that is reached from anywhere, by identity.
    `holding`: what it is for.
    """
    sealed, needed = encryption.account(context, holding)
    made = {
        **inside(context, resource=resource),
        "account_name": name,
        "kind": "StorageV2",
        "sku": SkuArgs(name="Standard_ZRS"),
        "access_tier": "Hot",
        "allow_shared_key_access": False,
        "default_to_o_auth_authentication": True,
        "allow_blob_public_access": False,
        "allow_cross_tenant_replication": False,
        "allowed_copy_scope": "AAD",
        "is_local_user_enabled": False,
        "is_sftp_enabled": False,
        "enable_https_traffic_only": True,
        "minimum_tls_version": "TLS1_2",
        "public_network_access": "Enabled",
        "network_rule_set": _rules(admitted),
        **sealed,
    }
    return made, needed


def _rules(admitted: Subnets | None) -> NetworkRuleSetArgs:
    if admitted is None:
        return NetworkRuleSetArgs(default_action=DefaultAction.ALLOW, bypass="AzureServices")
    rules = [VirtualNetworkRuleArgs(virtual_network_resource_id=subnet, action=Action.ALLOW) for subnet in admitted]
    return NetworkRuleSetArgs(default_action=DefaultAction.DENY, bypass="AzureServices", virtual_network_rules=rules)
