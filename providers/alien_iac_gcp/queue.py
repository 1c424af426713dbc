"""Queue on Google Cloud is a Pub/Sub topic with one subscription: pushed to its one Function, or pulled, never both."""

from alien_iac.models.arguments import FunctionArguments, QueueArguments
from alien_iac.models.units import parse_seconds
from alien_iac.protocol import cloud_run
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_gcp.bindings import subscription, topic
from alien_iac_gcp.pubsub import DEAD, MIN_RETENTION_S, Delivery, channel, deadline_s
from alien_iac_gcp.shape import pushed_to

PULLED_DEADLINE_S = 60
"""How long a pulled message stays with whoever pulled it, unless they ask for longer."""
GRACE_S = 10
"""What a consumer has over its timeout to acknowledge a message."""


def build(context: Context) -> Built:
    """The topic, its subscription, and dead letters. Outputs: `name`, `id`, `subscription`, `dead_subscription`."""
    arguments, resource = context.declared.arguments, context.declared.id
    if not isinstance(arguments, QueueArguments):
        raise TypeError(context.declared.kind)
    made = channel(context, delivery(context, arguments), kept=True)
    full = subscription(context, resource)
    return Built(
        outputs={
            "name": topic(context, resource).rsplit("/", 1)[-1],
            "id": topic(context, resource),
            "subscription": full,
            "dead_subscription": subscription(context, f"{resource}--{DEAD}"),
        },
        native={
            "topic": made.topic,
            "subscription": made.subscription,
            "dead-topic": made.dead_topic,
            "dead-subscription": made.dead_subscription,
            "dead-publisher": made.agent_members[0],
            "dead-mover": made.agent_members[1],
        },
        needed=(made.topic, made.subscription, *made.agent_members),
        kept=(Kept(id=resource, type="queue", place=full),),
        grants=made.grants,
    )


def delivery(context: Context, arguments: QueueArguments) -> Delivery:
    """Derived from the queue's own arguments and from its slowest consumer."""
    function = pushed_to(context.stack, context.declared.id)
    slow = [parse_seconds(c.arguments.timeout) for c in context.consumers if isinstance(c.arguments, FunctionArguments)]
    return Delivery(
        deadline_s=deadline_s(slow, GRACE_S, PULLED_DEADLINE_S),
        retention_s=max(MIN_RETENTION_S, parse_seconds(arguments.retention)),
        max_receives=arguments.max_receives,
        function=function.id if function else None,
        path=cloud_run.queue_path(context.declared.id),
    )
