"""Linked Functions on Google Cloud: called with an identity token of the workload's own account."""

from __future__ import annotations

import threading
from typing import Any

import google.auth.exceptions
from google.auth.transport.requests import Request
from google.oauth2 import id_token

from alien_iac.errors import Unauthorized
from alien_iac.protocol.bindings import CloudRunWorker
from alien_iac.runtime.stores.http_calls import HttpFunction
from alien_iac.runtime.stores.once import Once
from alien_iac.runtime.stores.parsing import parse


class IdentityToken:
    """A token of the workload's account for one audience, fetched anew when it is about to end. For threads."""

    def __init__(self, audience: str, about: str) -> None:
        self._about = about
        self._lock = threading.Lock()
        self._credentials = Once(lambda: id_token.fetch_id_token_credentials(audience, Request()))

    def __call__(self) -> str:
        """Unauthorized where the workload has no account."""
        try:
            with self._lock:
                credentials = self._credentials()
                if not credentials.valid:
                    credentials.refresh(Request())
        except google.auth.exceptions.GoogleAuthError as error:
            raise Unauthorized(f"{self._about}: there are no credentials ({type(error).__name__})") from error
        return str(credentials.token)


def connect_function(raw: dict[str, Any], resource_id: str) -> HttpFunction:
    """The Function that a binding names."""
    url = parse(CloudRunWorker, raw, resource_id).private_url
    return HttpFunction(url, resource_id, IdentityToken(url, f'function "{resource_id}"'))
