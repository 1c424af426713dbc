"""Where workloads log to: one workspace of the deployment, reached without a shared key."""

from typing import Any

import pulumi
from pulumi_azure_native.monitor import DiagnosticsLogSettingsArgs
from pulumi_azure_native.operationalinsights import Workspace, WorkspaceFeaturesArgs, WorkspaceSkuArgs

from alien_iac.resources.context import Context
from alien_iac_azure import naming
from alien_iac_azure.shared import shared

DAYS = 30


def workspace(context: Context) -> Workspace:
    """The workspace."""
    props = {
        "workspace_name": naming.shared_name(context.deployment.config, "workspace", "logs"),
        "sku": WorkspaceSkuArgs(name="PerGB2018"),
        "retention_in_days": DAYS,
        "features": WorkspaceFeaturesArgs(
            disable_local_auth=True, enable_log_access_using_only_resource_permissions=True
        ),
    }
    made: Workspace = shared(context, Workspace, "logs", props)
    return made


def sent(context: Context, of: pulumi.Input[str], *categories: str) -> dict[str, Any]:
    """The properties of the setting by which a resource sends these logs there."""
    return {
        "name": "alien",
        "resource_uri": of,
        "workspace_id": workspace(context).id,
        "logs": [DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in categories],
    }
