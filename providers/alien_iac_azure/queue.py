"""Queue on Azure is a queue of Service Bus, with the dead letters that every one of them has."""

from pulumi_azure_native.servicebus import Queue

from alien_iac.models.arguments import FunctionArguments, QueueArguments
from alien_iac.models.units import parse_seconds
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_azure import bus, naming

DEAD_LETTERS = "$deadletterqueue"


def build(context: Context) -> Built:
    """The queue. Outputs: `name`, `namespace`, `id`, `dead_letters` (the path of its dead letters)."""
    arguments, resource = context.declared.arguments, context.declared.id
    if not isinstance(arguments, QueueArguments):
        raise TypeError(context.declared.kind)
    name = naming.name(context.deployment.config, "queue", resource)
    consumers = (c.arguments for c in context.consumers)
    props = bus.queue(
        context,
        name,
        lock_s=bus.lock_seconds([parse_seconds(a.timeout) for a in consumers if isinstance(a, FunctionArguments)]),
        receives=arguments.max_receives,
        retention_s=parse_seconds(arguments.retention),
    )
    queue = context.native("queue", Queue, props, kept=True)
    namespace = bus.namespace_name(context)
    return Built(
        outputs={"name": name, "namespace": namespace, "id": queue.id, "dead_letters": f"{name}/{DEAD_LETTERS}"},
        native={"queue": queue},
        needed=(queue,),
        kept=(Kept(id=resource, type="queue", place=f"{namespace}/{name}"),),
        idle={"Service Bus namespace, once a deployment": "USD 9.81"},
    )
