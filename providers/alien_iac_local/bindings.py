"""What a workload here is told about a resource that it is linked to. Ports and tokens are marks for the plugin."""

from collections.abc import Callable, Mapping

from alien_iac.models.arguments import ContainerArguments, Kind
from alien_iac.models.declared import Declared
from alien_iac.protocol import bindings
from alien_iac.protocol.local import BROKER, Layout, file_reference, port_reference


def url(workload: Declared) -> str:
    """Where a workload listens, from the ledger of ports."""
    arguments = workload.arguments
    scheme = arguments.protocol if isinstance(arguments, ContainerArguments) else "http"
    return f"{scheme}://127.0.0.1:{port_reference(workload.id)}"


def binding(target: Declared, layout: Layout) -> bindings.Binding:
    """The binding of one component."""
    return _BINDINGS[target.kind](target, layout)


def _storage(target: Declared, layout: Layout) -> bindings.LocalStorage:
    return bindings.LocalStorage(storage_path=str(layout.storage(target.id)))


def _kv(target: Declared, layout: Layout) -> bindings.LocalKv:
    return bindings.LocalKv(data_dir=str(layout.kv(target.id)))


def _queue(target: Declared, layout: Layout) -> bindings.LocalQueue:
    endpoint = f"http://127.0.0.1:{port_reference(BROKER)}/queues/{target.id}"
    return bindings.LocalQueue(endpoint=endpoint, token=file_reference(layout.queue_token(target.id)))


def _secret(target: Declared, layout: Layout) -> bindings.LocalSecret:
    return bindings.LocalSecret(path=str(layout.secret(target.id)), key_file=str(layout.secret_key))


def _function(target: Declared, layout: Layout) -> bindings.LocalWorker:
    return bindings.LocalWorker(worker_url=url(target), token_file=str(layout.token(target.id)))


def _container(target: Declared, _: Layout) -> bindings.LocalContainer:
    public = url(target) if target.workload and target.workload.public else None
    return bindings.LocalContainer(container_name=target.id, internal_url=url(target), public_url=public)


_BINDINGS: Mapping[Kind, Callable[[Declared, Layout], bindings.Binding]] = {
    "Storage": _storage,
    "Kv": _kv,
    "Queue": _queue,
    "Secret": _secret,
    "Function": _function,
    "Container": _container,
}
