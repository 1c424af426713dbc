"""A Secret on Azure: the current version of a secret of a Key Vault.

A Key Vault keeps text. A value that is not text is kept in base64, and its content type says so.
"""

from __future__ import annotations

import base64
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from alien_iac.errors import InvalidInput
from alien_iac.protocol import bindings
from alien_iac.runtime.stores.azure_errors import translated
from alien_iac.runtime.stores.azure_identity import credential
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.secret import REFRESH_SECONDS, not_set

BINARY = "application/octet-stream;base64"
"""The content type of a value that is kept in base64."""


class KeyVaultSecret:
    """One secret, by its name in the vault."""

    kept_seconds = REFRESH_SECONDS

    def __init__(self, client: SecretClient, name: str, resource_id: str) -> None:
        self._client = client
        self._name = name
        self._id = resource_id

    def get(self) -> bytes:
        with translated(f'the secret "{self._id}"'):
            try:
                found = self._client.get_secret(self._name)
            except ResourceNotFoundError as error:
                raise not_set(self._id) from error
        text = found.value or ""
        if found.properties.content_type != BINARY:
            return text.encode()
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:  # binascii's, or what is no ASCII at all
            # Without the cause: nothing of the value may be quoted.
            raise InvalidInput(
                f'the secret "{self._id}": its content type is "{BINARY}", and it is not base64'
            ) from None


def connect(raw: dict[str, Any], resource_id: str) -> KeyVaultSecret:
    """The secret that a binding names, with the workload's own identity."""
    binding = parse(bindings.AzureSecret, raw, resource_id)
    client = SecretClient(f"https://{binding.vault_name}.vault.azure.net", credential())
    return KeyVaultSecret(client, binding.secret_name, resource_id)
