"""Where the events go that a Function could not handle: a queue of its own, never nowhere."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.lambda_ import (
    Function,
    FunctionEventInvokeConfig,
    FunctionEventInvokeConfigDestinationConfigArgs,
    FunctionEventInvokeConfigDestinationConfigOnFailureArgs,
)
from pulumi_aws.sqs import Queue, QueuePolicy

from alien_iac.models.triggers import CreatedTrigger
from alien_iac.resources.context import Context, Grant
from alien_iac_aws import access, naming
from alien_iac_aws.place import place
from alien_iac_aws.policy import Statement, deny_plain_http, document, text
from alien_iac_aws.queue import LONGEST_RETENTION, base

PART = "failed"
_RETRIES = 2
_OLDEST_S = 21_600


@dataclass(frozen=True)
class Failures:
    """The queue, who may send to it, and the Function's own right to."""

    queue: Queue
    policy: QueuePolicy
    grant: Grant


def build(context: Context) -> Failures:
    """The queue of what failed."""
    config, resource = context.deployment.config, context.declared.id
    props = base(config, naming.name(config, "queue", resource, PART), resource, LONGEST_RETENTION)
    queue = context.native("failures", Queue, props, suffix=PART)
    statements = [deny_plain_http("sqs:*", [queue.arn]), *_from_rules(context, queue)]
    policy_props = {"queue_url": queue.url, "policy": text(document(*statements))}
    policy = context.native("failures-policy", QueuePolicy, policy_props, suffix=f"{PART}-policy")
    grant = access.grant(context, resource, "report failures", *access.sends(context, queue.arn))
    return Failures(queue, policy, grant)


def destination(context: Context, function: Function, failures: Failures) -> FunctionEventInvokeConfig:
    """Events that the Function was started with and failed at, after two more tries, go to the queue."""
    on_failure = FunctionEventInvokeConfigDestinationConfigOnFailureArgs(destination=failures.queue.arn)
    props: dict[str, Any] = {
        "function_name": function.name,
        "maximum_retry_attempts": _RETRIES,
        "maximum_event_age_in_seconds": _OLDEST_S,
        "destination_config": FunctionEventInvokeConfigDestinationConfigArgs(on_failure=on_failure),
    }
    return context.native("failure-destination", FunctionEventInvokeConfig, props, suffix="failure-destination")


def rule_name(context: Context, storage: str) -> str:
    """The name of the rule for a storage's new objects, planned: the queue's policy names it before it is made."""
    return naming.name(context.deployment.config, "rule", context.declared.id, storage)


def _from_rules(context: Context, queue: Queue) -> list[Statement]:
    """What EventBridge cannot deliver at all it may leave in the queue; nothing where no rule is."""
    where = place(context.deployment.settings)
    storages = [t.resource for t in context.declared.triggers if isinstance(t, CreatedTrigger)]
    rules: list[pulumi.Input[str]] = [where.arn("events", f"rule/{rule_name(context, each)}") for each in storages]
    if not rules:
        return []
    statement: Statement = {
        "Sid": "Undelivered",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": [queue.arn],
        "Condition": {"ArnEquals": {"aws:SourceArn": rules}},
    }
    return [statement]
