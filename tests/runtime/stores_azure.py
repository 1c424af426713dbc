"""Real stores on azurite, Microsoft's emulator of Blob and Table, and doubles of the rest, at Azure's own addresses."""

from __future__ import annotations

import base64
import json
import re
import ssl
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from runtime import azure_doubles, azurite, loopback, npm_tools
from runtime.emulators import Emulators

from alien_iac.protocol import environment
from alien_iac.protocol.bindings import AzureSecret, BlobStorage, ServiceBusQueue, TableKv
from alien_iac.protocol.wire import Open
from alien_iac.runtime.stores.azure_queue import ENDPOINTS
from alien_iac.runtime.stores.azure_secret import BINARY

HOSTS = ("*.blob.core.windows.net", "*.table.core.windows.net", "*.vault.azure.net")


@dataclass(frozen=True)
class Azure:
    """What runs, and the environment in which a workload reaches it as it reaches Azure."""

    ports: dict[str, int]
    secrets: dict[str, azure_doubles.Kept]
    environment: dict[str, str]
    http: httpx.Client

    def make(self, service: str, method: str, path: str, body: object = None) -> None:
        """Make a container or a table, with the workload's own kind of token."""
        token = azure_doubles.token("https://storage.azure.com", int(time.time()) + 3600)
        answer = self.http.request(
            method,
            f"https://127.0.0.1:{self.ports[service]}/{azurite.ACCOUNT}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}", "x-ms-version": "2023-11-03", "Accept": "application/json"},
        )
        answer.raise_for_status()


@contextmanager
def azure() -> Iterator[Azure]:
    """All of it, for a session."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        certificate = loopback.certify(folder, *HOSTS)
        ports = stack.enter_context(azurite.running(certificate))
        secrets: dict[str, azure_doubles.Kept] = {}
        vault = stack.enter_context(loopback.serve(azure_doubles.key_vault(secrets), certificate))
        bus = stack.enter_context(servicebus(certificate))
        identity = stack.enter_context(loopback.serve(azure_doubles.identity))
        hosts = {".blob.core.windows.net": ports["Blob"], ".table.core.windows.net": ports["Table"]}
        proxy = stack.enter_context(loopback.gateway({**hosts, ".vault.azure.net": vault}))
        http = stack.enter_context(
            httpx.Client(verify=ssl.create_default_context(cafile=certificate.root), trust_env=False)
        )
        yield Azure(ports, secrets, _environment(proxy, identity, bus, certificate.root), http)


@contextmanager
def servicebus(certificate: loopback.Certificate) -> Iterator[int]:
    """The double of Service Bus. Yields its port."""
    env = {"NODE_PATH": str(npm_tools.installed("rhea@3.0.5"))}
    program = Path(__file__).with_name("servicebus_double.cjs")
    command = [str(program), str(certificate.chain), str(certificate.key)]
    with npm_tools.running(command, re.compile(r"listening on (\d+)"), 1, certificate.root.parent, env) as said:
        yield int(said[0][0])


def _environment(proxy: str, identity: int, bus: int, root: Path) -> dict[str, str]:
    return {
        "https_proxy": proxy,
        "SSL_CERT_FILE": str(root),
        "REQUESTS_CA_BUNDLE": str(root),
        "IDENTITY_ENDPOINT": f"http://127.0.0.1:{identity}/token",
        "IDENTITY_HEADER": azure_doubles.HEADER,
        ENDPOINTS: json.dumps({"servicebus": f"sb://127.0.0.1:{bus}"}),
        "AZURE_CLIENT_ID": azure_doubles.CLIENT,
        "AZURE_TENANT_ID": azure_doubles.TENANT,
    }


class AzureStores:
    """What one test made."""

    def __init__(self, running: Azure) -> None:
        self._azure = running
        self._test = uuid.uuid4().hex[:12]

    def for_sdk(self, env: dict[str, str]) -> dict[str, str]:
        """The environment in which the public SDK reaches the same stores."""
        del env
        return {
            "ALIEN_DEPLOYMENT_TYPE": "azure",
            "AZURE_SUBSCRIPTION_ID": azure_doubles.TENANT,
            "AZURE_REGION": "westeurope",
            # Its overrides are for HTTP, and ours of Service Bus is not.
            ENDPOINTS: "{}",
        }

    def storage(self, name: str) -> dict[str, str]:
        container = f"{name}-{self._test}"
        self._azure.make("Blob", "PUT", f"{container}?restype=container")
        return self._linked(name, BlobStorage(account_name=azurite.ACCOUNT, container_name=container))

    def kv(self, name: str) -> dict[str, str]:
        table = f"{name}{self._test}"
        self._azure.make("Table", "POST", "Tables", {"TableName": table})
        return self._linked(name, TableKv(resource_group_name="group", account_name=azurite.ACCOUNT, table_name=table))

    def queue(self, name: str, *, visibility: int = 30, receives: int = 5) -> dict[str, str]:
        queue = f"{name}-{self._test}--{visibility}--{receives}"
        return self._linked(name, ServiceBusQueue(namespace="test-bus", queue_name=queue))

    def secret(self, name: str) -> dict[str, str]:
        return self._linked(name, AzureSecret(vault_name="test-vault", secret_name=self._secret(name)))

    def set_secret(self, name: str, value: bytes) -> None:
        try:
            kept = azure_doubles.Kept(value.decode())
        except UnicodeDecodeError:
            kept = azure_doubles.Kept(base64.b64encode(value).decode(), BINARY)
        self._azure.secrets[self._secret(name)] = kept

    def _secret(self, name: str) -> str:
        return f"{name}-{self._test}"

    def _linked(self, name: str, binding: Open) -> dict[str, str]:
        return {**self._azure.environment, environment.binding_name(name): json.dumps(binding.dump())}


@contextmanager
def open_stores(folder: Path, emulators: Emulators) -> Iterator[AzureStores]:  # noqa: ARG001 - all is in memory
    """The stores of one test."""
    yield AzureStores(emulators.get(azure))
