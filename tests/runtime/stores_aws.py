"""Real stores on MiniStack, which speaks the protocols of AWS's own services on a loopback port."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import botocore.session
import httpx
from runtime.emulators import Emulators, tool_environment

from alien_iac.protocol import environment
from alien_iac.protocol.bindings import AwsSecret, DynamoKv, S3Storage, SqsQueue
from alien_iac.protocol.wire import Open

MINISTACK = "ministack==1.5.33"
REGION = "eu-central-1"
SERVICES = "apigateway,dynamodb,ec2,ecr,ecs,iam,lambda,logs,s3,scheduler,secretsmanager,servicediscovery,sqs,sts"


class MiniStack:
    """A running one, and how to reach it. `certificate`: the file with the one that it shows, where it is asked for."""

    def __init__(self, url: str, certificate: Path | None = None) -> None:
        self.url = url
        self._verify = str(certificate) if certificate else None
        self.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._session = botocore.session.get_session()

    def client(self, service: str, account: str = "test") -> Any:
        """A client of the account of this number; MiniStack takes it from the access key."""
        keys = {"aws_access_key_id": account, "aws_secret_access_key": "test"}
        return self._session.create_client(
            service, region_name=REGION, endpoint_url=self.url, verify=self._verify, **keys
        )


@contextmanager
def ministack() -> Iterator[MiniStack]:
    """It lets everyone do everything."""
    with TemporaryDirectory() as home, _running(Path(home), "http", {}) as url:
        yield MiniStack(url)


@contextmanager
def guarded_ministack() -> Iterator[MiniStack]:
    """It checks signatures, and does only what policies allow; those of buckets and queues refuse plain HTTP."""
    with TemporaryDirectory() as home, _running(Path(home), "https", {"AUTH": "true", "USE_SSL": "1"}) as url:
        yield MiniStack(url, _certificate(Path(home)))


def _certificate(home: Path) -> Path:
    return home / "ministack-tls" / "server.crt"


@contextmanager
def _running(home: Path, scheme: str, settings: dict[str, str]) -> Iterator[str]:
    """Its URL. It says that it is well half a second after it is started."""
    program = tool_environment(MINISTACK) / "ministack"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": SERVICES,
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        **settings,
    }
    log, url = home / "log", f"{scheme}://127.0.0.1:{port}"
    with log.open("wb") as out:
        process = subprocess.Popen([program], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=home)
    try:
        end = time.monotonic() + 60
        while not _is_well(url, _certificate(home)):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield url
    finally:
        _end(process)


def _is_well(url: str, certificate: Path) -> bool:
    try:
        verify = ssl.create_default_context(cafile=certificate) if url.startswith("https:") else True
        return httpx.get(f"{url}/_ministack/health", trust_env=False, verify=verify).is_success
    except (httpx.HTTPError, OSError):
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Over TLS it would wait half a minute for the connections of clients; it has nothing to save."""
    process.terminate()
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)


class AwsStores:
    """What one test made: each of its names is in one place only."""

    def __init__(self, cloud: MiniStack) -> None:
        self._cloud = cloud
        self._prefix = f"t{uuid.uuid4().hex[:10]}"

    def storage(self, name: str) -> dict[str, str]:
        bucket = self.named(name)
        where = {"LocationConstraint": REGION}
        self._cloud.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        return self._linked(name, S3Storage(bucket_name=bucket))

    def kv(self, name: str) -> dict[str, str]:
        table = self.table(name)
        return self._linked(name, DynamoKv(table_name=table, region=REGION))

    def table(self, name: str) -> str:
        """A table as the component makes it."""
        client, table = self._cloud.client("dynamodb"), self.named(name)
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        )
        client.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})
        return table

    def queue(self, name: str, *, visibility: int = 30, receives: int = 5) -> dict[str, str]:
        client = self._cloud.client("sqs")
        dead = client.create_queue(QueueName=self.named(f"{name}-dead"))["QueueUrl"]
        asked = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
        redrive = {"deadLetterTargetArn": asked["Attributes"]["QueueArn"], "maxReceiveCount": receives}
        made = client.create_queue(
            QueueName=self.named(name),
            Attributes={"VisibilityTimeout": str(visibility), "RedrivePolicy": json.dumps(redrive)},
        )
        return self._linked(name, SqsQueue(queue_url=made["QueueUrl"]))

    def secret(self, name: str) -> dict[str, str]:
        self._cloud.client("secretsmanager").create_secret(Name=self.named(name))
        return self._linked(name, AwsSecret(secret_name=self.named(name), region=REGION))

    def set_secret(self, name: str, value: bytes) -> None:
        try:
            given: dict[str, Any] = {"SecretString": value.decode()}
        except UnicodeDecodeError:
            given = {"SecretBinary": value}
        self._cloud.client("secretsmanager").put_secret_value(SecretId=self.named(name), **given)

    def for_sdk(self, env: dict[str, str]) -> dict[str, str]:
        """It knows no `AWS_ENDPOINT_URL`: a map says where each service is, and for S3 the binding."""
        services = ("dynamodb", "sqs", "sts")
        known = {
            environment.DEPLOYMENT_TYPE: "aws",
            "AWS_ACCOUNT_ID": "000000000000",
            "AWS_SERVICE_OVERRIDES_ENDPOINTS": json.dumps(dict.fromkeys(services, self._cloud.url)),
        }
        own = {"endpoint": self._cloud.url, "region": REGION, "accessKeyId": "test", "secretAccessKey": "test"}
        buckets = {name: json.loads(text) for name, text in env.items() if name.endswith("_BINDING")}
        return known | {name: json.dumps({**raw, **own}) for name, raw in buckets.items() if raw["service"] == "s3"}

    def named(self, name: str) -> str:
        """What MiniStack knows a store as."""
        return f"{self._prefix}-{name}"

    def _linked(self, name: str, binding: Open) -> dict[str, str]:
        return {**self._cloud.environment, environment.binding_name(name): json.dumps(binding.dump())}


@contextmanager
def open_stores(folder: Path, emulators: Emulators) -> Iterator[AwsStores]:  # noqa: ARG001 - they are in MiniStack
    """The stores of one test."""
    yield AwsStores(emulators.get(ministack))
