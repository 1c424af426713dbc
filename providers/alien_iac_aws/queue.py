"""Queue on AWS is an SQS queue with another one for its dead letters."""

from typing import Any

import pulumi
from pulumi_aws.sqs import Queue, QueuePolicy, RedriveAllowPolicy, RedrivePolicy

from alien_iac.models.arguments import DAY, FunctionArguments, QueueArguments
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.units import parse_seconds
from alien_iac.protocol.outputs import Kept
from alien_iac.resources.context import Built, Context
from alien_iac_aws import naming
from alien_iac_aws.policy import deny_plain_http, document, text

MIN_VISIBILITY, MAX_VISIBILITY = 30, 43_200
VISIBILITY_TIMES = 6
"""How many times a Function's timeout a message stays hidden: Lambda may have to try again while it is throttled."""
LONGEST_RETENTION = 14 * DAY
_LONG_POLL_S = 20
_DATA_KEY_S = 300


def build(context: Context) -> Built:
    """Both queues, how messages get from one to the other, and who may not. Outputs: `name`, `url`, `arn`."""
    arguments, config, resource = context.declared.arguments, context.deployment.config, context.declared.id
    if not isinstance(arguments, QueueArguments):
        raise TypeError(context.declared.kind)
    name, dead_name = naming.name(config, "queue", resource), naming.name(config, "queue", resource, "dead")
    retention = parse_seconds(arguments.retention)
    dead_props = base(config, dead_name, resource, LONGEST_RETENTION)
    dead = context.native("dead-letters", Queue, dead_props, suffix="dead", kept=True)
    props = base(config, name, resource, retention) | {"visibility_timeout_seconds": visibility_seconds(context)}
    queue = context.native("queue", Queue, props, kept=True)
    redriven = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": arguments.max_receives}
    allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}
    sides = {
        "redrive": _side(context, "redrive", RedrivePolicy, queue, redrive_policy=text(redriven)),
        "redrive-allow": _side(context, "redrive-allow", RedriveAllowPolicy, dead, redrive_allow_policy=text(allowed)),
        "policy": _side(context, "policy", QueuePolicy, queue, policy=_tls_only(queue)),
        "dead-letters-policy": _side(context, "dead-letters-policy", QueuePolicy, dead, policy=_tls_only(dead)),
    }
    native: dict[str, Any] = {"queue": queue, "dead-letters": dead, **sides}
    return Built(
        outputs={"name": name, "url": queue.url, "arn": queue.arn, "dead_letters": dead_name},
        native=native,
        needed=(queue, sides["redrive"]),
        kept=(Kept(id=resource, type="queue", place=name), Kept(id=resource, type="queue", place=dead_name)),
    )


def base(config: DeploymentConfig, name: str, resource: str, retention: int) -> dict[str, Any]:
    """What all queues of the deployment have in common. `retention` in seconds."""
    sealed = (
        {"kms_master_key_id": config.encryption_key, "kms_data_key_reuse_period_seconds": _DATA_KEY_S}
        if config.encryption_key
        else {"sqs_managed_sse_enabled": True}
    )
    return {
        "name": name,
        "message_retention_seconds": retention,
        "receive_wait_time_seconds": _LONG_POLL_S,
        **sealed,
        "tags": {"resource": resource},
    }


def visibility_seconds(context: Context) -> int:
    """How long a received message stays hidden, from the slowest Function that takes messages from the queue."""
    consumers = (c.arguments for c in context.consumers)
    timeouts = [parse_seconds(a.timeout) for a in consumers if isinstance(a, FunctionArguments)]
    return min(max([MIN_VISIBILITY, *(VISIBILITY_TIMES * timeout for timeout in timeouts)]), MAX_VISIBILITY)


def _side(context: Context, role: str, make: Any, of: Queue, **props: Any) -> pulumi.Resource:
    """A setting of a queue; it is kept with the queue."""
    made: pulumi.Resource = context.native(role, make, {"queue_url": of.url, **props}, suffix=role, kept=True)
    return made


def _tls_only(queue: Queue) -> pulumi.Output[str]:
    return text(document(deny_plain_http("sqs:*", [queue.arn])))
