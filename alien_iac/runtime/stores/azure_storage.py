"""A Storage on Azure: a container of a storage account, through `obstore`, with the workload's own identity.

`obstore` asks for its tokens itself, so this needs none of Azure's libraries. A signed URL is signed with a key that
Azure delegates to the identity, never with the account's.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import obstore
from obstore.store import AzureStore

from alien_iac.protocol.bindings import BlobStorage
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.storage import Method, SignedRequest

SEGMENTS = 254
"""How many segments Azure allows in a key."""


class ContainerPlace:
    """One container."""

    def __init__(self, objects: AzureStore) -> None:
        self.objects = objects

    def sign(self, method: Method, key: str, lasts: timedelta) -> SignedRequest:
        # A PUT has to say what kind of blob it makes.
        headers = {"x-ms-blob-type": "BlockBlob"} if method == "PUT" else {}
        return SignedRequest(method=method, url=obstore.sign(self.objects, method, key, lasts), headers=headers)

    def refusal(self, key: str) -> str | None:
        segments = key.split("/")
        if any(segment.endswith(".") for segment in segments):
            return "on Azure a segment does not end with a dot"
        if len(segments) > SEGMENTS:
            return f"on Azure it has at most {SEGMENTS} segments"
        return None


def connect(raw: dict[str, Any], resource_id: str) -> ContainerPlace:
    """The container that a binding names."""
    binding = parse(BlobStorage, raw, resource_id)
    federated = os.environ.get("AZURE_FEDERATED_TOKEN_FILE")
    return ContainerPlace(
        AzureStore(
            binding.container_name,
            account_name=binding.account_name,
            credential_type="workload_identity" if federated else "managed_identity",
        )
    )
