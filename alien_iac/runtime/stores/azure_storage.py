"""A Storage on Azure: a container of a storage account, through `obstore`, with the workload's own identity.

`obstore` asks for its tokens itself, so only what signs URLs needs one of Azure's libraries.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from obstore.store import AzureStore

from alien_iac.protocol.bindings import BlobStorage
from alien_iac.runtime.stores.objects import CLIENT, RETRY
from alien_iac.runtime.stores.once import Once
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.storage import Method, SignedRequest

if TYPE_CHECKING:
    from alien_iac.runtime.stores.azure_signing import Signer

SEGMENTS = 254
"""How many segments Azure allows in a key."""


class ContainerPlace:
    """One container."""

    def __init__(self, objects: AzureStore, signer: Callable[[], Signer]) -> None:
        self.objects = objects
        self._signer = Once(signer)

    def sign(self, method: Method, key: str, lasts: timedelta) -> SignedRequest:
        # A PUT has to say what kind of blob it makes.
        headers = {"x-ms-blob-type": "BlockBlob"} if method == "PUT" else {}
        return SignedRequest(method=method, url=self._signer().url(method, key, lasts), headers=headers)

    def refusal(self, key: str) -> str | None:
        segments = key.split("/")
        if "\\" in key:
            return "on Azure it has no backslash, which Azure takes for a slash"
        if any(segment.endswith(".") for segment in segments):
            return "on Azure a segment does not end with a dot"
        if len(segments) > SEGMENTS:
            return f"on Azure it has at most {SEGMENTS} segments"
        return None


def connect(raw: dict[str, Any], resource_id: str) -> ContainerPlace:
    """The container that a binding names."""
    binding = parse(BlobStorage, raw, resource_id)
    federated = os.environ.get("AZURE_FEDERATED_TOKEN_FILE")
    objects = AzureStore(
        binding.container_name,
        account_name=binding.account_name,
        credential_type="workload_identity" if federated else "managed_identity",
        client_options=CLIENT,
        retry_config=RETRY,
    )
    return ContainerPlace(objects, lambda: _signer(binding))


def _signer(binding: BlobStorage) -> Signer:
    # Imported for those who sign: a workload that does not, needs no more than `obstore`.
    from alien_iac.runtime.stores.azure_identity import credential  # noqa: PLC0415 - see above
    from alien_iac.runtime.stores.azure_signing import Signer  # noqa: PLC0415 - see above

    return Signer(binding.account_name, binding.container_name, credential())
