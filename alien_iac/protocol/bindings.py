"""What a workload is told about a resource it is linked to: one JSON object, in the shapes that `alienplatform` reads.

Secret's shape on `local` is ours, and so is `token` where a workload calls another one. A binding names where a secret
is, never what it is; the one exception is the loopback token of a local queue.
"""

from typing import Literal

from pydantic import Field

from alien_iac.protocol.wire import Open


class LocalStorage(Open):
    """A directory."""

    service: Literal["local-storage"] = "local-storage"
    storage_path: str


class LocalKv(Open):
    """A folder with `localkv.sqlite` in it."""

    service: Literal["local-kv"] = "local-kv"
    data_dir: str


class LocalQueue(Open):
    """A queue behind the deployment's broker. `endpoint` takes every operation as a POST with the bearer `token`."""

    service: Literal["local-queue-http"] = "local-queue-http"
    endpoint: str
    token: str = Field(repr=False)


class LocalSecret(Open):
    """An encrypted file and the file with its key."""

    service: Literal["local-secret"] = "local-secret"
    path: str
    key_file: str


class LocalWorker(Open):
    """A Function on this machine."""

    service: Literal["local"] = "local"
    worker_url: str
    token_file: str = ""


class LocalContainer(Open):
    """A Container on this machine."""

    service: Literal["local"] = "local"
    container_name: str
    internal_url: str
    public_url: str | None = None


StorageBinding = LocalStorage
KvBinding = LocalKv
QueueBinding = LocalQueue
SecretBinding = LocalSecret
WorkerBinding = LocalWorker
ContainerBinding = LocalContainer

Binding = StorageBinding | KvBinding | QueueBinding | SecretBinding | WorkerBinding | ContainerBinding
