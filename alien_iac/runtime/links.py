"""From a linked resource's id to the store or workload behind it, by the binding in the environment.

A binding is read when it is first used, so that a module with `files = storage("files")` at its top loads anywhere.
`_CONNECTORS` is where a platform's store is added: nothing above it knows on which platform it runs.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from alien_iac.errors import BindingInvalid, Missing
from alien_iac.protocol import environment

if TYPE_CHECKING:
    from alien_iac.runtime.stores.calls import ContainerLink, FunctionLink
    from alien_iac.runtime.stores.kv import Kv
    from alien_iac.runtime.stores.queue import Queue
    from alien_iac.runtime.stores.secret import Secret
    from alien_iac.runtime.stores.storage import Storage

_STORES = "alien_iac.runtime.stores"
_CONNECTORS = {
    ("storage", "local-storage"): (f"{_STORES}.local_storage", "connect"),
    ("kv", "local-kv"): (f"{_STORES}.local_kv", "connect"),
    ("queue", "local-queue-http"): (f"{_STORES}.local_queue", "connect"),
    ("secret", "local-secret"): (f"{_STORES}.local_secret", "connect"),
    ("storage", "s3"): (f"{_STORES}.aws_storage", "connect"),
    ("kv", "dynamodb"): (f"{_STORES}.aws_kv", "connect"),
    ("queue", "sqs"): (f"{_STORES}.aws_queue", "connect"),
    ("secret", "secrets-manager"): (f"{_STORES}.aws_secret", "connect"),
    ("storage", "gcs"): (f"{_STORES}.gcp_storage", "connect"),
    ("kv", "firestore"): (f"{_STORES}.gcp_kv", "connect"),
    ("queue", "pubsub"): (f"{_STORES}.gcp_queue", "connect"),
    ("secret", "secret-manager"): (f"{_STORES}.gcp_secret", "connect"),
    ("storage", "blob"): (f"{_STORES}.azure_storage", "connect"),
    ("kv", "tablestorage"): (f"{_STORES}.azure_kv", "connect"),
    ("queue", "servicebus"): (f"{_STORES}.azure_queue", "connect"),
    ("secret", "key-vault"): (f"{_STORES}.azure_secret", "connect"),
    ("container", "local"): (f"{_STORES}.local_calls", "connect_container"),
    ("function", "local"): (f"{_STORES}.local_calls", "connect_function"),
    ("container", "horizon"): (f"{_STORES}.cloud_calls", "connect_container"),
    ("function", "lambda"): (f"{_STORES}.aws_calls", "connect_function"),
    ("function", "cloudrun"): (f"{_STORES}.gcp_calls", "connect_function"),
    ("function", "containerapp"): (f"{_STORES}.azure_calls", "connect_function"),
}
"""Kind and the binding's `service` to the module and the function that makes the store of a binding."""

# Each accessor imports what it needs when it is called: a workload pays for the stores that it uses, and no more.


def storage(resource_id: str) -> Storage:
    """The objects of a linked Storage."""
    from alien_iac.runtime.stores.storage import Storage  # noqa: PLC0415 - see above

    return Storage(resource_id, lambda: connect("storage", resource_id))


def kv(resource_id: str) -> Kv:
    """The items of a linked Kv."""
    from alien_iac.runtime.stores.kv import Kv  # noqa: PLC0415 - see above

    return Kv(resource_id, lambda: connect("kv", resource_id))


def queue(resource_id: str) -> Queue:
    """The messages of a linked Queue."""
    from alien_iac.runtime.stores.queue import Queue  # noqa: PLC0415 - see above

    return Queue(resource_id, lambda: connect("queue", resource_id))


def secret(resource_id: str) -> Secret:
    """The value of a linked Secret."""
    from alien_iac.runtime.stores.secret import Secret  # noqa: PLC0415 - see above

    return Secret(resource_id, lambda: connect("secret", resource_id))


def container(resource_id: str) -> ContainerLink:
    """Where a linked Container listens."""
    from alien_iac.runtime.stores.calls import ContainerLink  # noqa: PLC0415 - see above

    return ContainerLink(lambda: connect("container", resource_id))


def function(resource_id: str) -> FunctionLink:
    """A linked Function, to be invoked."""
    from alien_iac.runtime.stores.calls import FunctionLink  # noqa: PLC0415 - see above

    return FunctionLink(resource_id, lambda: connect("function", resource_id))


def connect(kind: str, resource_id: str) -> Any:
    """The store behind a linked resource.

    BindingInvalid where the environment does not say which, or says it wrongly; Missing where the platform's SDK is not
    installed. The text names the variable and the fields, never their values.
    """
    raw = binding(resource_id)
    service = raw.get("service")
    known = {name: place for (of, name), place in _CONNECTORS.items() if of == kind}
    if service not in known:
        raise BindingInvalid(
            f'{environment.binding_name(resource_id)}: "{service}" is no service of a {kind} that this version knows',
            hint=f"known here: {', '.join(sorted(known))}; the workload's alien-iac may be older than the deployment's",
        )
    module, name = known[service]
    make: Callable[[dict[str, Any], str], object] = getattr(_imported(module, resource_id), name)
    return make(raw, resource_id)


def _imported(module: str, resource_id: str) -> ModuleType:
    """A platform's module, and with it the SDK that the workload brings along for it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        platform = module.removeprefix(f"{_STORES}.").partition("_")[0]
        raise Missing(
            f'the link to "{resource_id}" needs {error.name}, which is not installed',
            hint=f"add alien-iac[runtime-{platform}] to the workload's requirements",
        ) from error


def binding(resource_id: str) -> dict[str, Any]:
    """A linked resource's binding as it stands in the environment."""
    variable = environment.binding_name(resource_id)
    text = os.environ.get(variable)
    if not text:
        raise BindingInvalid(
            f'this workload is not linked to "{resource_id}": {variable} is not set',
            hint=f"add {resource_id} to the `link` of the workload in the stack program",
        )
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise BindingInvalid(f"{variable} is not JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(raw, dict):
        raise BindingInvalid(f"{variable} is not a JSON object")
    return raw
