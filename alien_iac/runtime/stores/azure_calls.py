"""Linked Functions on Azure: called with a token of the workload's identity for the customer's application."""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import ClientAuthenticationError

from alien_iac.errors import BindingInvalid, Unauthorized
from alien_iac.protocol.bindings import AzureWorker
from alien_iac.protocol.environment import binding_name
from alien_iac.runtime.stores.azure_identity import credential
from alien_iac.runtime.stores.http_calls import HttpFunction
from alien_iac.runtime.stores.parsing import parse


def connect_function(raw: dict[str, Any], resource_id: str) -> HttpFunction:
    """The Function that a binding names. BindingInvalid where it names no application to ask a token for."""
    binding = parse(AzureWorker, raw, resource_id)
    if not binding.application:
        raise BindingInvalid(f"{binding_name(resource_id)}: application is not set; no token can be asked for")
    own, scope = credential(), f"api://{binding.application}/.default"

    def token() -> str:
        try:
            return own.get_token(scope).token
        except ClientAuthenticationError as error:
            text = f'function "{resource_id}": there are no credentials ({type(error).__name__})'
            raise Unauthorized(text) from error

    return HttpFunction(binding.private_url, resource_id, token)
