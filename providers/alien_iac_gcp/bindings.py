"""What a workload on Google Cloud is told about a resource that it is linked to: planned names."""

from collections.abc import Callable, Mapping

import pulumi

from alien_iac.models.arguments import Kind
from alien_iac.models.declared import Declared
from alien_iac.protocol import bindings
from alien_iac.resources.context import Context
from alien_iac_gcp import naming
from alien_iac_gcp.addresses import internal_url, public_url
from alien_iac_gcp.place import place

Told = pulumi.Output[bindings.Binding]


def binding(target: Declared, context: Context) -> Told:
    """The binding of one component, for the workload that the context is about."""
    return _BINDINGS[target.kind](target, context)


def topic(context: Context, resource_id: str) -> str:
    """The full name of a queue's topic."""
    return f"projects/{place(context.deployment.settings).project}/topics/{_name(context, 'topic', resource_id)}"


def subscription(context: Context, resource_id: str) -> str:
    """The full name of a queue's subscription."""
    project = place(context.deployment.settings).project
    return f"projects/{project}/subscriptions/{_name(context, 'topic', resource_id)}"


def _name(context: Context, service: naming.Service, resource_id: str) -> str:
    return naming.name(context.deployment.config, service, resource_id)


def _plain(told: bindings.Binding) -> Told:
    return pulumi.Output.from_input(told)


def _storage(target: Declared, context: Context) -> Told:
    return _plain(bindings.GcsStorage(bucket_name=_name(context, "bucket", target.id)))


def _kv(target: Declared, context: Context) -> Told:
    database = _name(context, "database", target.id)
    project = place(context.deployment.settings).project
    return _plain(bindings.FirestoreKv(project_id=project, database_id=database, collection_name=target.id))


def _queue(target: Declared, context: Context) -> Told:
    return _plain(bindings.PubsubQueue(topic=topic(context, target.id), subscription=subscription(context, target.id)))


def _secret(target: Declared, context: Context) -> Told:
    prefix = context.deployment.config.prefix
    return _plain(bindings.GcpSecret(vault_prefix=prefix, secret_name=_name(context, "secret", target.id)))


def _function(target: Declared, context: Context) -> Told:
    where = place(context.deployment.settings)
    service = _name(context, "run", target.id)

    def told(urls: list[str | None]) -> bindings.Binding:
        return bindings.CloudRunWorker(
            project_id=where.project,
            service_name=service,
            location=where.region,
            private_url=urls[0] or "",
            public_url=urls[1],
        )

    return pulumi.Output.all(internal_url(context, target), public_url(context, target)).apply(told)


def _container(target: Declared, context: Context) -> Told:
    def told(urls: list[str | None]) -> bindings.Binding:
        return bindings.CloudContainer(container_name=target.id, internal_url=urls[0] or "", public_url=urls[1])

    return pulumi.Output.all(internal_url(context, target), public_url(context, target)).apply(told)


_BINDINGS: Mapping[Kind, Callable[[Declared, Context], Told]] = {
    "Storage": _storage,
    "Kv": _kv,
    "Queue": _queue,
    "Secret": _secret,
    "Function": _function,
    "Container": _container,
}
