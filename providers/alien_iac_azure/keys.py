"""The id of the customer's key; pure, so that it is checked before any SDK is loaded."""

import re

from alien_iac.errors import ConfigInvalid

KEY = "alien:encryptionKey"
FORM = "/subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/<vault>/keys/<key>"
_KEY = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.KeyVault/vaults/([^/]+)/keys/([^/]+)",
    re.IGNORECASE,
)


def parts(key: str) -> tuple[str, str]:
    """The vault's name and the key's. Raises ConfigInvalid for anything that is not the id of a key."""
    found = _KEY.fullmatch(key)
    if not found:
        raise ConfigInvalid(f'"{key}" is not the id of a key', hint=FORM)
    return found[1], found[2]
