"""Nothing is lost by itself: backups, dead letters that arrive, subscriptions that stay, logs that end on purpose."""

from collections.abc import Iterator

from alien_iac.policy.model import Resource, Rule, Stack, section

_PITR = "POINT_IN_TIME_RECOVERY_ENABLED"
_SQS = "aws:sqs/queue:Queue"
_MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
_REDRIVE = "aws:sqs/redrivePolicy:RedrivePolicy"
_SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"


def _table(resource: Resource, _: Stack) -> Iterator[str]:
    if section(resource.inputs, "pointInTimeRecovery").get("enabled") is not True:
        yield "pointInTimeRecovery is not enabled"


def _database(resource: Resource, _: Stack) -> Iterator[str]:
    if resource.inputs.get("pointInTimeRecoveryEnablement") != _PITR:
        yield f"pointInTimeRecoveryEnablement is not {_PITR}"


def _vault(resource: Resource, _: Stack) -> Iterator[str]:
    if section(resource.inputs, "properties").get("enablePurgeProtection") is not True:
        yield "enablePurgeProtection is not true"


def _expiry(resource: Resource, _: Stack) -> Iterator[str]:
    ttl = section(resource.inputs, "expirationPolicy").get("ttl", "31 days")
    if ttl:
        yield f"it is deleted after {ttl} without a reader"


def _group(resource: Resource, _: Stack) -> Iterator[str]:
    if not resource.inputs.get("retentionInDays"):
        yield "its logs are kept for ever: retentionInDays is not set"


def _mapped(resource: Resource, stack: Stack) -> Iterator[str]:
    name = _last(resource.inputs.get("eventSourceArn"))
    queues = [each for each in stack.of(_SQS) if each.inputs.get("name", each.name) == name]
    if queues and not any(_is_redriven(each, stack) for each in queues):
        yield f"the queue {name} has nowhere to put what cannot be handled"


def _is_redriven(queue: Resource, stack: Stack) -> bool:
    name = queue.inputs.get("name", queue.name)
    beside = (_last(each.inputs.get("queueUrl")) for each in stack.of(_REDRIVE))
    return bool(queue.inputs.get("redrivePolicy")) or name in beside


def _dead_topic(resource: Resource, stack: Stack) -> Iterator[str]:
    topic = section(resource.inputs, "deadLetterPolicy").get("deadLetterTopic")
    heard = {_last(each.inputs.get("topic")) for each in stack.of(_SUBSCRIPTION)}
    if topic and _last(topic) not in heard:
        yield f"nobody is subscribed to {topic}, so that dead letters are lost"


def _last(identity: object) -> str:
    return str(identity).replace(":", "/").rpartition("/")[2]


RULES = (
    Rule(
        name="no-backup",
        says="A database can be taken back to where it was.",
        checks={
            "aws:dynamodb/table:Table": _table,
            "azure-native:keyvault:Vault": _vault,
            "gcp:firestore/database:Database": _database,
        },
    ),
    Rule(
        name="expiring-subscription",
        says="A subscription stays when nobody reads for a while.",
        checks={_SUBSCRIPTION: _expiry},
    ),
    Rule(
        name="endless-logs",
        says="Logs are kept for as long as somebody said.",
        checks={"aws:cloudwatch/logGroup:LogGroup": _group, "azure-native:operationalinsights:Workspace": _group},
    ),
    Rule(
        name="lost-dead-letters",
        says="What cannot be handled is kept.",
        checks={_MAPPING: _mapped, _SUBSCRIPTION: _dead_topic},
        whole=True,
    ),
)
