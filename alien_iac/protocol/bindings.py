"""What a workload is told about a resource it is linked to: one JSON object, in the shapes that `alienplatform` reads.

Secret's shapes on `local` and AWS are ours, and so are the fields `token_file` and `secret_name`, which those SDKs
ignore. A binding names where a secret is, never what it is; the one exception is the loopback token of a local queue.
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


class S3Storage(Open):
    """A bucket, reached with the workload's own role."""

    service: Literal["s3"] = "s3"
    bucket_name: str


class GcsStorage(Open):
    """A bucket, reached with the workload's own service account."""

    service: Literal["gcs"] = "gcs"
    bucket_name: str


class BlobStorage(Open):
    """A container of a storage account, reached with the workload's own identity."""

    service: Literal["blob"] = "blob"
    account_name: str
    container_name: str


class DynamoKv(Open):
    """A table with the key `pk`, `sk` and the time to live `ttl`."""

    service: Literal["dynamodb"] = "dynamodb"
    table_name: str
    region: str


class FirestoreKv(Open):
    """A collection of a database of its own."""

    service: Literal["firestore"] = "firestore"
    project_id: str
    database_id: str
    collection_name: str


class TableKv(Open):
    """A table of a storage account."""

    service: Literal["tablestorage"] = "tablestorage"
    resource_group_name: str
    account_name: str
    table_name: str


class SqsQueue(Open):
    """A queue by its URL."""

    service: Literal["sqs"] = "sqs"
    queue_url: str


class PubsubQueue(Open):
    """A topic to send to and a subscription to receive from, both by their full names."""

    service: Literal["pubsub"] = "pubsub"
    topic: str
    subscription: str


class ServiceBusQueue(Open):
    """A queue of a namespace (its name, without the domain)."""

    service: Literal["servicebus"] = "servicebus"
    namespace: str
    queue_name: str


class AwsSecret(Open):
    """A secret of Secrets Manager by its name."""

    service: Literal["secrets-manager"] = "secrets-manager"
    secret_name: str
    region: str


class GcpSecret(Open):
    """A secret of Secret Manager: `secret_name` is its id, which starts with the prefix."""

    service: Literal["secret-manager"] = "secret-manager"
    vault_prefix: str
    secret_name: str


class AzureSecret(Open):
    """A secret of a Key Vault."""

    service: Literal["key-vault"] = "key-vault"
    vault_name: str
    secret_name: str


class LambdaWorker(Open):
    """A Function on Lambda, by its name."""

    service: Literal["lambda"] = "lambda"
    worker_name: str
    region: str
    url: str | None = None


class CloudRunWorker(Open):
    """A Function on Cloud Run."""

    service: Literal["cloudrun"] = "cloudrun"
    project_id: str
    service_name: str
    location: str
    private_url: str
    public_url: str | None = None


class AzureWorker(Open):
    """A Function on Azure."""

    service: Literal["containerapp"] = "containerapp"
    subscription_id: str
    resource_group_name: str
    container_app_name: str
    private_url: str
    public_url: str | None = None
    application: str = ""
    """The client id of the registration that callers ask tokens for: ours."""


class CloudContainer(Open):
    """A Container on a cloud, by the address at which the deployment's other workloads reach it."""

    service: Literal["horizon"] = "horizon"
    container_name: str
    internal_url: str
    public_url: str | None = None


StorageBinding = LocalStorage | S3Storage | GcsStorage | BlobStorage
KvBinding = LocalKv | DynamoKv | FirestoreKv | TableKv
QueueBinding = LocalQueue | SqsQueue | PubsubQueue | ServiceBusQueue
SecretBinding = LocalSecret | AwsSecret | GcpSecret | AzureSecret
WorkerBinding = LocalWorker | LambdaWorker | CloudRunWorker | AzureWorker
ContainerBinding = LocalContainer | CloudContainer

Binding = StorageBinding | KvBinding | QueueBinding | SecretBinding | WorkerBinding | ContainerBinding
