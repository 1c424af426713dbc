"""Real stores against doubles of Google's services, at Google's own addresses.

No emulator from a package index speaks what the libraries here speak: the XML interface of Cloud Storage, Firestore's
conditions, dead letters and seek of Pub/Sub. Each double says what it leaves out.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from runtime import google_doubles, grpc_double, loopback
from runtime.emulators import Emulators
from runtime.firestore_double import Firestore
from runtime.gcs_double import CloudStorage
from runtime.google_doubles import PROJECT
from runtime.pubsub_double import Pubsub
from runtime.secret_manager_double import SecretManager

from alien_iac.protocol import environment
from alien_iac.protocol.bindings import FirestoreKv, GcpSecret, GcsStorage, PubsubQueue
from alien_iac.protocol.wire import Open


@dataclass(frozen=True)
class Google:
    """What runs, and the environment in which a workload reaches it as it reaches Google Cloud."""

    pubsub: Pubsub
    secrets: SecretManager
    environment: dict[str, str]


@contextmanager
def google() -> Iterator[Google]:
    """All of it, for a session."""
    firestore, pubsub, secrets = Firestore(), Pubsub(), SecretManager()
    services = {
        firestore.name: firestore.rpcs(),
        "google.pubsub.v1.Publisher": pubsub.publisher(),
        "google.pubsub.v1.Subscriber": pubsub.subscriber(),
        secrets.name: secrets.rpcs(),
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        certificate = loopback.certify(folder, "*.googleapis.com")
        grpc = stack.enter_context(grpc_double.serve(services, certificate))
        hosts = dict.fromkeys(("firestore", "pubsub", "secretmanager"), grpc)
        hosts["storage"] = stack.enter_context(loopback.serve(CloudStorage().answer, certificate))
        hosts["iamcredentials"] = stack.enter_context(loopback.serve(google_doubles.signing, certificate))
        proxy = stack.enter_context(loopback.gateway({f"{host}.googleapis.com": at for host, at in hosts.items()}))
        metadata = stack.enter_context(loopback.serve(google_doubles.metadata))
        yield Google(pubsub, secrets, _environment(proxy, metadata, certificate.root))


def _environment(proxy: str, metadata: int, root: Path) -> dict[str, str]:
    return {
        "https_proxy": proxy,
        "SSL_CERT_FILE": str(root),
        "REQUESTS_CA_BUNDLE": str(root),
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(root),
        "GCE_METADATA_HOST": f"127.0.0.1:{metadata}",
        "GCE_METADATA_IP": f"127.0.0.1:{metadata}",
        "GOOGLE_CLOUD_PROJECT": PROJECT,
    }


class GoogleStores:
    """What one test made."""

    def __init__(self, running: Google) -> None:
        self._google = running
        self._test = uuid.uuid4().hex[:12]

    def storage(self, name: str) -> dict[str, str]:
        return self._linked(name, GcsStorage(bucket_name=f"{name}-{self._test}"))

    def kv(self, name: str) -> dict[str, str]:
        database = f"database-{self._test}"
        return self._linked(name, FirestoreKv(project_id=PROJECT, database_id=database, collection_name=name))

    def queue(self, name: str, *, visibility: int = 30, receives: int = 5) -> dict[str, str]:
        topic = f"projects/{PROJECT}/topics/{name}-{self._test}"
        subscription = f"projects/{PROJECT}/subscriptions/{name}-{self._test}"
        self._google.pubsub.make(topic, subscription, deadline=visibility, most=receives)
        return self._linked(name, PubsubQueue(topic=topic, subscription=subscription))

    def secret(self, name: str) -> dict[str, str]:
        return self._linked(name, GcpSecret(vault_prefix=self._test, secret_name=f"{self._test}-{name}"))

    def set_secret(self, name: str, value: bytes) -> None:
        self._google.secrets.values[f"projects/{PROJECT}/secrets/{self._test}-{name}"] = value

    def _linked(self, name: str, binding: Open) -> dict[str, str]:
        return {**self._google.environment, environment.binding_name(name): json.dumps(binding.dump())}


@contextmanager
def open_stores(folder: Path, emulators: Emulators) -> Iterator[GoogleStores]:  # noqa: ARG001 - all is in memory
    """The stores of one test."""
    yield GoogleStores(emulators.get(google))
