"""The deployment's own Azure provider: one subscription, one tenant, and no other identity than the one that it names.

How that identity proves itself (a federated token, a managed identity, a certificate) is in the environment of whoever
runs Pulumi, as Azure's own variables, and never in the config.
"""

from typing import Any

from pulumi_azure_native.provider import Provider

from alien_iac.resources.deployment import Deployment
from alien_iac_azure.place import place

_USE_OIDC, _USE_MSI = "azure-native:useOidc", "azure-native:useMsi"


def make(deployment: Deployment) -> Provider:
    """The pinned provider. Raises ConfigInvalid where the config does not pin a subscription, a tenant and a region."""
    where, settings = place(deployment.settings), deployment.settings
    return Provider(
        "azure-native",
        subscription_id=where.subscription,
        tenant_id=where.tenant,
        client_id=where.client,
        location=where.location,
        use_oidc=_flag(settings.get(_USE_OIDC)),
        use_msi=_flag(settings.get(_USE_MSI)),
        disable_pulumi_partner_id=True,
    )


def _flag(value: Any) -> bool | None:
    return None if value is None else str(value).lower() == "true"
