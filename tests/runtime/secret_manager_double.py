"""A double of Secret Manager, for tests, over its gRPC interface: reading the latest version of a secret.

Left out: everything else, permissions too.
"""

from __future__ import annotations

import grpc
from google.cloud.secretmanager_v1.types import resources, service
from runtime.grpc_double import Refusal, Rpc


class SecretManager:
    """All secrets by their full names, in memory."""

    name = "google.cloud.secretmanager.v1.SecretManagerService"

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    def rpcs(self) -> dict[str, Rpc]:
        return {
            "AccessSecretVersion": Rpc(
                service.AccessSecretVersionRequest, service.AccessSecretVersionResponse, self._access
            )
        }

    def _access(
        self, request: service.AccessSecretVersionRequest, context: grpc.ServicerContext
    ) -> service.AccessSecretVersionResponse:
        del context
        name = request.name.removesuffix("/versions/latest")
        if name not in self.values:
            raise Refusal(grpc.StatusCode.NOT_FOUND, f"Secret [{name}] not found or has no versions.")
        payload = resources.SecretPayload(data=self.values[name])
        return service.AccessSecretVersionResponse(name=f"{name}/versions/1", payload=payload)
