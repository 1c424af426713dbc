"""A topic with one subscription that never expires, and dead letters that are really received.

What cannot be delivered goes to a second topic, which has a subscription of its own: a topic without one forgets.
Pub/Sub moves it there itself, and its service account is granted just that. It counts deliveries approximately.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_gcp.pubsub import (
    Subscription,
    SubscriptionDeadLetterPolicyArgs,
    SubscriptionExpirationPolicyArgs,
    SubscriptionIAMMember,
    SubscriptionPushConfigArgs,
    SubscriptionPushConfigOidcTokenArgs,
    SubscriptionRetryPolicyArgs,
    Topic,
    TopicIAMMember,
    TopicMessageStoragePolicyArgs,
)
from pulumi_gcp.serviceaccount import IAMMember

from alien_iac.resources.context import Context, Grant
from alien_iac_gcp import naming
from alien_iac_gcp.accounts import TRIGGERS, account, email
from alien_iac_gcp.addresses import run_url
from alien_iac_gcp.encryption import keyed
from alien_iac_gcp.place import place
from alien_iac_gcp.shared import after, agent, with_apis

DEAD = "dead"
AGENT = "Pub/Sub"
MIN_DEADLINE_S, MAX_DEADLINE_S = 10, 600
MIN_RETENTION_S = 600
DEAD_RETENTION_S = 14 * 86_400
_PUBLISHER, _SUBSCRIBER = "roles/pubsub.publisher", "roles/pubsub.subscriber"
_TOKENS = "roles/iam.serviceAccountOpenIdTokenCreator"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How messages of one topic are delivered."""

    deadline_s: int
    retention_s: int
    max_receives: int
    function: str | None = None
    """The Function that they are pushed to; None where they are pulled."""
    path: str = ""
    """Where the Function takes them."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A topic, and all that belongs to it."""

    topic: Topic
    subscription: Subscription
    dead_topic: Topic
    dead_subscription: Subscription
    agent_members: tuple[pulumi.Resource, ...]
    """What Pub/Sub itself is granted: to write dead letters, and to take them from the subscription."""
    grants: tuple[Grant, ...]


def channel(context: Context, delivery: Delivery, *, part: str = "", kept: bool) -> Channel:
    """Make a topic under the component. `part`: which one, where the component has several; `kept`: it holds data."""
    context, key = keyed(with_apis(context, "pubsub"), "pubsub")
    dead = dead_part(part)
    topic = context.native("topic", Topic, _topic(context, part, key), suffix=part, kept=kept)
    dead_topic = context.native("dead-topic", Topic, _topic(context, dead, key), suffix=dead, kept=kept)
    publisher = _publisher(context, dead_topic, dead)
    subscription = _subscription(context.waiting_for([publisher]), topic, delivery, part, kept=kept)
    return Channel(
        topic=topic,
        subscription=subscription,
        dead_topic=dead_topic,
        dead_subscription=_dead_subscription(context, dead_topic, dead, kept=kept),
        agent_members=(publisher, _subscriber(context, subscription, part)),
        grants=_grants(context, delivery, part, dead),
    )


def dead_part(part: str) -> str:
    """The part of the name of a topic's dead letters."""
    return f"{part}-{DEAD}" if part else DEAD


def full_name(context: Context, part: str = "") -> str:
    """The full name of a topic of the context's component."""
    name = naming.name(context.deployment.config, "topic", context.declared.id, part)
    return f"projects/{place(context.deployment.settings).project}/topics/{name}"


def _grants(context: Context, delivery: Delivery, part: str, dead: str) -> tuple[Grant, ...]:
    """What is granted to Pub/Sub itself, in words."""
    own, config = context.declared.id, context.deployment.config
    names = {name: naming.name(config, "topic", own, name) for name in (part, dead)}
    told = [
        ("write dead letters of", {"topic": names[dead], "role": _PUBLISHER}),
        ("take dead letters from", {"subscription": names[part], "role": _SUBSCRIBER}),
    ]
    grants = [Grant(workload=AGENT, resource=own, verb=verb, policy=policy) for verb, policy in told]
    if delivery.function:
        starter = email(config, place(context.deployment.settings), delivery.function, TRIGGERS)
        policy = {"service_account": starter, "role": _TOKENS}
        grants.append(Grant(workload=AGENT, resource=delivery.function, verb="make tokens to start", policy=policy))
    return tuple(grants)


def deadline_s(timeouts: list[int], grace_s: int, otherwise_s: int) -> int:
    """How long a message stays with one consumer: longer than the slowest may take, within what Pub/Sub allows."""
    wanted = max([otherwise_s, *(timeout + grace_s for timeout in timeouts)])
    return min(MAX_DEADLINE_S, max(MIN_DEADLINE_S, wanted))


def _topic(context: Context, part: str, key: str | None) -> dict[str, Any]:
    region = place(context.deployment.settings).region
    return {
        "name": naming.name(context.deployment.config, "topic", context.declared.id, part),
        "kms_key_name": key,
        "message_storage_policy": TopicMessageStoragePolicyArgs(allowed_persistence_regions=[region]),
        "labels": {"resource": context.declared.id},
    }


def _subscription(context: Context, topic: Topic, delivery: Delivery, part: str, *, kept: bool) -> Subscription:
    waits, push = _push(context, delivery)
    props = {
        **_lasting(context, part, topic, delivery.retention_s),
        "ack_deadline_seconds": delivery.deadline_s,
        "retry_policy": SubscriptionRetryPolicyArgs(minimum_backoff="10s", maximum_backoff="600s"),
        "dead_letter_policy": SubscriptionDeadLetterPolicyArgs(
            dead_letter_topic=full_name(context, f"{part}-{DEAD}" if part else DEAD),
            max_delivery_attempts=delivery.max_receives,
        ),
        "push_config": push,
    }
    return context.waiting_for(waits).native("subscription", Subscription, props, suffix=part, kept=kept)


def _dead_subscription(context: Context, dead: Topic, part: str, *, kept: bool) -> Subscription:
    props = {**_lasting(context, part, dead, DEAD_RETENTION_S), "ack_deadline_seconds": 60}
    return context.native("dead-subscription", Subscription, props, suffix=part, kept=kept)


def _lasting(context: Context, part: str, topic: Topic, retention_s: int) -> dict[str, Any]:
    """A subscription that stays, however long nobody uses it: by default it is gone after 31 days."""
    return {
        "name": naming.name(context.deployment.config, "topic", context.declared.id, part),
        "topic": topic.name,
        "message_retention_duration": f"{retention_s}s",
        "expiration_policy": SubscriptionExpirationPolicyArgs(ttl=""),
        "labels": {"resource": context.declared.id},
    }


def _push(context: Context, delivery: Delivery) -> tuple[list[pulumi.Resource], SubscriptionPushConfigArgs | None]:
    """The Function's address with a token of the account that may start it; nothing where messages are pulled."""
    function, config = delivery.function, context.deployment.config
    if function is None:
        return [], None
    url, where = run_url(context, function), place(context.deployment.settings)
    token = SubscriptionPushConfigOidcTokenArgs(
        service_account_email=email(config, where, function, TRIGGERS), audience=url
    )
    push = SubscriptionPushConfigArgs(push_endpoint=pulumi.Output.concat(url, delivery.path), oidc_token=token)
    return [_tokens(context, function)], push


def _tokens(context: Context, function: str) -> IAMMember:
    """Pub/Sub may make tokens of the account that starts the Function, and of no other."""
    starter = account(context, function, TRIGGERS)
    where = place(context.deployment.settings)
    own = f"projects/{where.project}/serviceAccounts/{email(context.deployment.config, where, function, TRIGGERS)}"
    props = {"service_account_id": own, "role": _TOKENS, "member": agent(context, "pubsub").member}
    return context.shared.shared(after(IAMMember, [starter]), f"{function}--{TRIGGERS}-tokens", props)


def _publisher(context: Context, dead: Topic, part: str) -> TopicIAMMember:
    props = {"topic": dead.name, "role": _PUBLISHER, "member": agent(context, "pubsub").member}
    return context.native("dead-publisher", TopicIAMMember, props, suffix=part)


def _subscriber(context: Context, subscription: Subscription, part: str) -> SubscriptionIAMMember:
    props = {"subscription": subscription.name, "role": _SUBSCRIBER, "member": agent(context, "pubsub").member}
    return context.native("dead-mover", SubscriptionIAMMember, props, suffix=part)
