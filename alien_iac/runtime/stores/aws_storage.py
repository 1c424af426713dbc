"""A Storage on AWS: a bucket of S3."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import obstore
from obstore.store import S3Store

from alien_iac.protocol.bindings import S3Storage
from alien_iac.runtime.stores.objects import CLIENT, RETRY
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.storage import Method, SignedRequest

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config  # names that exist for type checkers only


class S3Place:
    """One bucket, with the credentials of the environment."""

    def __init__(self, bucket: str) -> None:
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        config: S3Config = {"endpoint": endpoint} if endpoint else {}
        client: ClientConfig = {**CLIENT, "allow_http": bool(endpoint and endpoint.startswith("http://"))}
        self.objects = S3Store(bucket, config=config, client_options=client, retry_config=RETRY)

    def sign(self, method: Method, key: str, lasts: timedelta) -> SignedRequest:
        return SignedRequest(method=method, url=obstore.sign(self.objects, method, key, lasts))

    def refusal(self, key: str) -> str | None:  # noqa: ARG002 - S3 takes every key that all platforms take
        return None


def connect(raw: dict[str, Any], resource_id: str) -> S3Place:
    """The bucket that a binding names."""
    return S3Place(parse(S3Storage, raw, resource_id).bucket_name)
