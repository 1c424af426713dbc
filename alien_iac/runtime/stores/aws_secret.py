"""A Secret on AWS: the current value of a secret of Secrets Manager, as text or as bytes."""

from __future__ import annotations

from typing import Any

import botocore.exceptions

from alien_iac.protocol.bindings import AwsSecret
from alien_iac.runtime.stores import aws_client
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.secret import REFRESH_SECONDS, not_set


class ManagedSecret:
    """One secret, by its name or ARN."""

    kept_seconds = REFRESH_SECONDS

    def __init__(self, client: Any, name: str, resource_id: str) -> None:
        self._client = client
        self._name = name
        self._id = resource_id

    def get(self) -> bytes:
        with aws_client.translated(f'the secret "{self._id}"'):
            try:
                answer = self._client.get_secret_value(SecretId=self._name)
            except botocore.exceptions.ClientError as error:
                # The same answer for a secret without a value and for one that is not there.
                if aws_client.code(error) == "ResourceNotFoundException":
                    raise not_set(self._id) from error
                raise
        if "SecretString" in answer:
            return str(answer["SecretString"]).encode()
        if "SecretBinary" in answer:
            return bytes(answer["SecretBinary"])
        raise not_set(self._id)


def connect(raw: dict[str, Any], resource_id: str) -> ManagedSecret:
    """The secret that a binding names."""
    binding = parse(AwsSecret, raw, resource_id)
    client = aws_client.client("secretsmanager", binding.region, resource_id)
    return ManagedSecret(client, binding.secret_name, resource_id)
