"""A Secret on Google Cloud: the latest version of a secret of Secret Manager."""

from __future__ import annotations

import os
from typing import Any

from google.api_core.exceptions import FailedPrecondition, NotFound
from google.cloud.secretmanager_v1.services.secret_manager_service import SecretManagerServiceClient

from alien_iac.errors import BindingInvalid
from alien_iac.protocol import bindings, environment
from alien_iac.runtime.stores.gcp_errors import translated
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.secret import REFRESH_SECONDS, not_set

SECONDS = 20.0
PROJECT = "GOOGLE_CLOUD_PROJECT"


class SecretManagerSecret:
    """One secret, by its full name: `projects/…/secrets/…`."""

    kept_seconds = REFRESH_SECONDS

    def __init__(self, client: SecretManagerServiceClient, name: str, resource_id: str) -> None:
        self._client = client
        self._name = name
        self._id = resource_id

    def get(self) -> bytes:
        with translated(f'the secret "{self._id}"'):
            try:
                answer = self._client.access_secret_version(name=f"{self._name}/versions/latest", timeout=SECONDS)
            except (NotFound, FailedPrecondition) as error:  # there is no version, or the latest was disabled
                raise not_set(self._id) from error
        return bytes(answer.payload.data)


def connect(raw: dict[str, Any], resource_id: str) -> SecretManagerSecret:
    """The secret that a binding names, in the workload's own project, with the workload's own service account."""
    binding = parse(bindings.GcpSecret, raw, resource_id)
    project = os.environ.get(PROJECT)
    if not project:
        raise BindingInvalid(f"{environment.binding_name(resource_id)}: {PROJECT} is not set, and says the project")
    with translated(f'the secret "{resource_id}"'):
        client = SecretManagerServiceClient()
    return SecretManagerSecret(client, f"projects/{project}/secrets/{binding.secret_name}", resource_id)
