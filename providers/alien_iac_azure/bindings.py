"""What a workload on Azure is told about a resource that it is linked to: planned names.

The one exception is the domain of a Container App, an Output of its environment in the Foundation: see `environments`.
"""

from collections.abc import Callable, Mapping

import pulumi

from alien_iac.models.arguments import Kind
from alien_iac.models.declared import Declared
from alien_iac.protocol import bindings
from alien_iac.resources.context import Context
from alien_iac_azure import naming
from alien_iac_azure.addresses import public_url, site, url
from alien_iac_azure.place import place
from alien_iac_azure.placement import is_flex
from alien_iac_azure.shared import group_name


def binding(target: Declared, context: Context) -> pulumi.Output[bindings.Binding]:
    """The binding of one component."""
    return _BINDINGS[target.kind](target, context)


def _storage(target: Declared, context: Context) -> pulumi.Output[bindings.Binding]:
    config = context.deployment.config
    account, container = naming.name(config, "account", target.id), naming.name(config, "container", target.id)
    return pulumi.Output.from_input(bindings.BlobStorage(account_name=account, container_name=container))


def _kv(target: Declared, context: Context) -> pulumi.Output[bindings.Binding]:
    config = context.deployment.config
    told = bindings.TableKv(
        resource_group_name=group_name(context),
        account_name=naming.name(config, "account", target.id),
        table_name=naming.name(config, "table", target.id),
    )
    return pulumi.Output.from_input(told)


def _queue(target: Declared, context: Context) -> pulumi.Output[bindings.Binding]:
    config = context.deployment.config
    namespace, queue = naming.shared_name(config, "namespace", "bus"), naming.name(config, "queue", target.id)
    return pulumi.Output.from_input(bindings.ServiceBusQueue(namespace=namespace, queue_name=queue))


def _secret(target: Declared, context: Context) -> pulumi.Output[bindings.Binding]:
    vault = naming.name(context.deployment.config, "vault", target.id)
    return pulumi.Output.from_input(bindings.AzureSecret(vault_name=vault, secret_name=naming.SECRET))


def _function(target: Declared, context: Context) -> pulumi.Output[bindings.Binding]:
    config = context.deployment.config
    name = site(config, target) if is_flex(target) else naming.name(config, "app", target.id)

    def told(urls: list[str | None]) -> bindings.Binding:
        return bindings.AzureWorker(
            subscription_id=place(context.deployment.settings).subscription,
            resource_group_name=group_name(context),
            container_app_name=name,
            private_url=urls[0] or "",
            public_url=urls[1],
            application=place(context.deployment.settings).application or "",
        )

    return pulumi.Output.all(url(context, target), public_url(context, target)).apply(told)


def _container(target: Declared, context: Context) -> pulumi.Output[bindings.Binding]:
    def told(urls: list[str | None]) -> bindings.Binding:
        return bindings.CloudContainer(container_name=target.id, internal_url=urls[0] or "", public_url=urls[1])

    return pulumi.Output.all(url(context, target), public_url(context, target)).apply(told)


_BINDINGS: Mapping[Kind, Callable[[Declared, Context], pulumi.Output[bindings.Binding]]] = {
    "Storage": _storage,
    "Kv": _kv,
    "Queue": _queue,
    "Secret": _secret,
    "Function": _function,
    "Container": _container,
}
