"""Functions on Cloud Run, called with an identity token of the agent's account."""

from __future__ import annotations

import functools

import httpx

from alien_iac.agent.invokers import HttpInvoker
from alien_iac.errors import Unauthorized, Unavailable
from alien_iac.protocol.invocation import COMMANDS_PATH
from alien_iac.protocol.outputs import Invoke
from alien_iac.runtime.stores.gcp_calls import IdentityToken


def make(http: httpx.AsyncClient) -> HttpInvoker:
    """The invoker. Each Function's address is the audience of its own token."""
    known = functools.cache(IdentityToken)

    def token(how: Invoke) -> str:
        try:
            return known(how.url, "the agent")()
        except Unauthorized as error:
            raise Unavailable(error.message) from error

    return HttpInvoker(http, token, path=COMMANDS_PATH)
