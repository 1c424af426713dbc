"""Where a deployment is on Azure, read from Pulumi's own keys; pure, so that names and scopes are planned."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alien_iac.errors import ConfigInvalid

LOCATION, SUBSCRIPTION = "azure-native:location", "azure-native:subscriptionId"
TENANT, CLIENT = "azure-native:tenantId", "azure-native:clientId"
APPLICATION = "alien-azure:application"
"""Client id of the customer's application registration that stands for this deployment's Functions: a token that calls
one of them is made out to it. Azure has no other way to name a Function in a token."""
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
AREA = re.compile(r"[a-z]+\d*")


@dataclass(frozen=True, kw_only=True)
class Place:
    """One region of one subscription."""

    subscription: str
    tenant: str
    location: str
    client: str | None
    """The client id of the identity that deploys, and as which the agent calls Functions."""
    application: str | None

    def role(self, guid: str) -> str:
        """The id of one of Azure's own roles."""
        return f"/subscriptions/{self.subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def place(settings: Mapping[str, Any]) -> Place:
    """The place that the config pins. Raises ConfigInvalid where it does not say one."""
    return Place(
        subscription=_text(settings, SUBSCRIPTION),
        tenant=_text(settings, TENANT),
        location=plain(_text(settings, LOCATION)),
        client=settings.get(CLIENT) or None,
        application=settings.get(APPLICATION) or None,
    )


def plain(location: str) -> str:
    """A region by its name, also where the config has it as people write it ("West Europe")."""
    return location.lower().replace(" ", "")


def _text(settings: Mapping[str, Any], key: str) -> str:
    value = settings.get(key)
    if not isinstance(value, str) or not value:
        example = "westeurope" if key == LOCATION else "00000000-0000-0000-0000-000000000000"
        raise ConfigInvalid(f"{key} is not set", hint=f"pulumi config set {key} {example}")
    return value
