"""A Storage on Google Cloud: a bucket, through `obstore`, with the workload's own service account.

`obstore` finds the account where Google's libraries do: in the file that `GOOGLE_APPLICATION_CREDENTIALS` names, or at
the metadata server of the machine. No key is asked for. A signed URL is signed by Google at the account's request.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import obstore
from obstore.store import GCSStore

from alien_iac.protocol.bindings import GcsStorage
from alien_iac.runtime.stores.objects import CLIENT, RETRY
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.storage import Method, SignedRequest

_RESERVED = ".well-known/acme-challenge/"


class BucketPlace:
    """One bucket."""

    def __init__(self, objects: GCSStore) -> None:
        self.objects = objects

    def sign(self, method: Method, key: str, lasts: timedelta) -> SignedRequest:
        return SignedRequest(method=method, url=obstore.sign(self.objects, method, key, lasts))

    def refusal(self, key: str) -> str | None:
        if key.startswith(_RESERVED):
            return f'on Google Cloud it does not start with "{_RESERVED}"'
        return None


def connect(raw: dict[str, Any], resource_id: str) -> BucketPlace:
    """The bucket that a binding names."""
    name = parse(GcsStorage, raw, resource_id).bucket_name
    return BucketPlace(GCSStore(name, client_options=CLIENT, retry_config=RETRY))
