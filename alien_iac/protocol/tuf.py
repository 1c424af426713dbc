"""The Update Framework's parts that agent, control plane and packaging share: the one door to its two libraries.

`securesystemslib` imports every cloud's SDK that it finds, for keys in the clouds' key services, which nothing here
uses: a third of a second of each start. While it is imported, these are not found.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """These packages are as if they were not installed, except those that were imported before."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment] # Python's own word for: there is none
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _without("azure.core", "azure.identity", "boto3", "botocore", "google.cloud", "hvac", "sigstore"):
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined] # not in its __all__
    from tuf.api import exceptions
    from tuf.api.metadata import Key, Metadata, MetaFile, Role, Root, Snapshot, TargetFile, Targets, Timestamp
    from tuf.api.serialization import DeserializationError
    from tuf.api.serialization.json import JSONSerializer
    from tuf.ngclient.fetcher import FetcherInterface
    from tuf.ngclient.updater import Updater

RepositoryError = exceptions.RepositoryError

__all__ = [
    "CryptoSigner",
    "DeserializationError",
    "FetcherInterface",
    "JSONSerializer",
    "Key",
    "MetaFile",
    "Metadata",
    "RepositoryError",
    "Role",
    "Root",
    "Snapshot",
    "TargetFile",
    "Targets",
    "Timestamp",
    "Updater",
    "exceptions",
]
