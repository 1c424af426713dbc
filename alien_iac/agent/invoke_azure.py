"""Functions on Azure, called with a token of the agent's identity for the customer's application."""

from __future__ import annotations

import httpx
from azure.core.exceptions import ClientAuthenticationError

from alien_iac.agent.invokers import HttpInvoker
from alien_iac.errors import Unavailable
from alien_iac.protocol.outputs import Invoke
from alien_iac.runtime.stores.azure_identity import credential


def make(http: httpx.AsyncClient) -> HttpInvoker:
    """The invoker. The credential keeps its tokens while they are good."""
    own = credential()

    def token(how: Invoke) -> str:
        try:
            return own.get_token(f"api://{how.name}/.default").token
        except ClientAuthenticationError as error:
            raise Unavailable(f"the agent has no credentials ({type(error).__name__})") from error

    return HttpInvoker(http, token)
