"""How many copies of a Container App run: KEDA's rules, each with the app's own identity and no connection string."""

import pulumi
from pulumi_azure_native.app import CustomScaleRuleArgs, HttpScaleRuleArgs, ScaleArgs, ScaleRuleArgs
from pulumi_azure_native.managedidentity import UserAssignedIdentity

from alien_iac.models.arguments import ContainerArguments, FunctionArguments
from alien_iac.models.triggers import QueueTrigger
from alien_iac.resources.context import Context
from alien_iac_azure import access, bus, events, naming, placement

REQUESTS = 50
"""Requests at once that a copy is for."""
MESSAGES = 5
"""Messages waiting that a copy is for."""
MEMORY = 80
"""Percent of a copy's memory above which there are more."""
FUNCTION_COPIES = 10
_POLL_S, _COOL_S = 15, 300
_RULE = 40
"""Characters of a rule's name."""


def of_container(context: Context, arguments: ContainerArguments, identity: UserAssignedIdentity) -> ScaleArgs:
    """The scale that the author asks for; one copy where none is."""
    if arguments.scale is None or arguments.single_writer:
        return ScaleArgs(min_replicas=1, max_replicas=1)
    consumed = [link.resource for link in context.declared.links if link.verb == "consume"]
    rules = [
        _utilization("cpu", arguments.scale.cpu),
        _utilization("memory", MEMORY),
        *([_http()] if arguments.health_path else []),
        *(_messages(context, naming.name(context.deployment.config, "queue", queue), identity) for queue in consumed),
    ]
    return _scale(arguments.scale.min, arguments.scale.max, rules)


def of_function(context: Context, arguments: FunctionArguments, identity: UserAssignedIdentity) -> ScaleArgs:
    """From none to as many as are needed."""
    config = context.deployment.config
    queues = [
        *(naming.name(config, "queue", t.resource) for t in arguments.triggers if isinstance(t, QueueTrigger)),
        *(events.queue_name(context, storage) for storage in access.watched(context.declared)),
    ]
    reached = arguments.public or placement.is_called(context.stack, context.declared)
    rules = [*([_http()] if reached else []), *(_messages(context, queue, identity) for queue in queues)]
    return _scale(0, arguments.concurrency or FUNCTION_COPIES, rules)


def _scale(least: int, most: int, rules: list[ScaleRuleArgs]) -> ScaleArgs:
    return ScaleArgs(
        min_replicas=least, max_replicas=most, rules=rules, polling_interval=_POLL_S, cooldown_period=_COOL_S
    )


def _http() -> ScaleRuleArgs:
    return ScaleRuleArgs(name="http", http=HttpScaleRuleArgs(metadata={"concurrentRequests": str(REQUESTS)}))


def _utilization(of: str, percent: int) -> ScaleRuleArgs:
    rule = CustomScaleRuleArgs(type=of, metadata={"type": "Utilization", "value": str(percent)})
    return ScaleRuleArgs(name=of, custom=rule)


def _messages(context: Context, queue: str, identity: UserAssignedIdentity) -> ScaleRuleArgs:
    metadata: dict[str, pulumi.Input[str]] = {
        "namespace": bus.namespace_name(context),
        "queueName": queue,
        "messageCount": str(MESSAGES),
    }
    rule = CustomScaleRuleArgs(type="azure-servicebus", metadata=metadata, identity=identity.id)
    return ScaleRuleArgs(name=queue[-_RULE:].strip("-"), custom=rule)
