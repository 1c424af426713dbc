"""New objects: Event Grid puts a notice of each into a queue of the Function's own, which starts it."""

from dataclasses import dataclass

from pulumi_azure_native.eventgrid import (
    DeliveryWithResourceIdentityArgs,
    EventSubscriptionFilterArgs,
    EventSubscriptionIdentityArgs,
    RetryPolicyArgs,
    ServiceBusQueueEventSubscriptionDestinationArgs,
    SystemTopic,
    SystemTopicEventSubscription,
)
from pulumi_azure_native.managedidentity import UserAssignedIdentity
from pulumi_azure_native.servicebus import Queue

from alien_iac.models.arguments import DAY, FunctionArguments
from alien_iac.models.units import parse_seconds
from alien_iac.resources.context import Context
from alien_iac_azure import access, bus, naming
from alien_iac_azure.access import Granted
from alien_iac_azure.shared import group

_RECEIVES, _RETENTION_S = 5, 4 * DAY
_TRIES, _TRIED_MIN = 30, 1440


@dataclass(frozen=True, kw_only=True)
class Events:
    """The queues that a Function hears of new objects from."""

    queues: tuple[Queue, ...] = ()
    subscriptions: tuple[SystemTopicEventSubscription, ...] = ()
    granted: Granted


def build(context: Context, identity: UserAssignedIdentity) -> Events:
    """A queue and a subscription for each storage. Roles: `events-queues`, `subscriptions`, `grants`."""
    queues, subscriptions, granted = [], [], Granted()
    for storage in access.watched(context.declared):
        queue = _queue(context, storage)
        topic, sender = context.built[storage].native["events"], context.built[storage].native["events-identity"]
        heard = "hear of new objects"
        granted += access.give(context, identity, access.BUS_RECEIVER, queue.id, resource=storage, verb=heard)
        sends = access.give(
            context,
            sender,
            access.BUS_SENDER,
            queue.id,
            resource=context.declared.id,
            verb=f"tell of new objects in {storage}",
            workload=storage,
        )
        granted += sends
        subscriptions.append(_subscription(context.waiting_for(sends.made), topic, sender, queue, storage))
        queues.append(queue)
    return Events(queues=tuple(queues), subscriptions=tuple(subscriptions), granted=granted)


def queue_name(context: Context, storage: str) -> str:
    """The planned name of the queue with notices of a storage's new objects."""
    return naming.name(context.deployment.config, "queue", context.declared.id, storage)


def _queue(context: Context, storage: str) -> Queue:
    arguments = context.declared.arguments
    timeouts = [parse_seconds(arguments.timeout)] if isinstance(arguments, FunctionArguments) else []
    props = bus.queue(
        context,
        queue_name(context, storage),
        lock_s=bus.lock_seconds(timeouts),
        receives=_RECEIVES,
        retention_s=_RETENTION_S,
    )
    return context.native("events-queues", Queue, props, suffix=f"{storage}-created")


def _subscription(
    context: Context, topic: SystemTopic, sender: UserAssignedIdentity, queue: Queue, storage: str
) -> SystemTopicEventSubscription:
    target = context.built[storage].outputs
    delivery = DeliveryWithResourceIdentityArgs(
        identity=EventSubscriptionIdentityArgs(type="UserAssigned", user_assigned_identity=sender.id),
        destination=ServiceBusQueueEventSubscriptionDestinationArgs(
            endpoint_type="ServiceBusQueue", resource_id=queue.id
        ),
    )
    props = {
        "resource_group_name": group(context),
        "system_topic_name": topic.name,
        "event_subscription_name": naming.name(context.deployment.config, "topic", context.declared.id, storage),
        "event_delivery_schema": "CloudEventSchemaV1_0",
        "delivery_with_resource_identity": delivery,
        "filter": EventSubscriptionFilterArgs(
            included_event_types=["Microsoft.Storage.BlobCreated"],
            subject_begins_with=f"/blobServices/default/containers/{target['name']}/",
        ),
        "retry_policy": RetryPolicyArgs(max_delivery_attempts=_TRIES, event_time_to_live_in_minutes=_TRIED_MIN),
    }
    return context.native("subscriptions", SystemTopicEventSubscription, props, suffix=f"{storage}-subscription")
