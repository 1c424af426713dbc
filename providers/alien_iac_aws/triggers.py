"""What starts a Function: messages, schedules, new objects."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulumi_aws.cloudwatch import EventRule, EventTarget, EventTargetDeadLetterConfigArgs, EventTargetRetryPolicyArgs
from pulumi_aws.iam import Role
from pulumi_aws.lambda_ import EventSourceMapping, EventSourceMappingScalingConfigArgs, Function, Permission
from pulumi_aws.scheduler import (
    Schedule,
    ScheduleFlexibleTimeWindowArgs,
    ScheduleTargetArgs,
    ScheduleTargetDeadLetterConfigArgs,
    ScheduleTargetRetryPolicyArgs,
)

from alien_iac.models.arguments import FunctionArguments
from alien_iac.models.crontab import parse
from alien_iac.models.triggers import CreatedTrigger, QueueTrigger, ScheduleTrigger
from alien_iac.protocol.aws_lambda import DRAIN, KEY
from alien_iac.resources.context import Context, Grant
from alien_iac_aws import access, naming
from alien_iac_aws.crontab import expressions
from alien_iac_aws.failures import Failures, rule_name
from alien_iac_aws.place import place
from alien_iac_aws.policy import Statement, allow

BATCH = 10
_MIN_CONCURRENCY = 2
_OLDEST_S, _RETRIES = 3_600, 10
_DIGEST = 8


@dataclass(frozen=True, kw_only=True)
class Started:
    """All that starts a Function, by role, and what that may do."""

    native: Mapping[str, Any]
    grants: tuple[Grant, ...] = ()


def build(context: Context, function: Function, failures: Failures) -> Started:
    """All that starts the Function."""
    triggers = context.declared.triggers
    created = [trigger.resource for trigger in triggers if isinstance(trigger, CreatedTrigger)]
    rules = {storage: _rule(context, storage) for storage in created}
    scheduled = _schedules(context, function, failures, [t for t in triggers if isinstance(t, ScheduleTrigger)])
    native = {
        "mappings": [_mapping(context, function, t.resource) for t in triggers if isinstance(t, QueueTrigger)],
        **scheduled.native,
        "rules": list(rules.values()),
        "permissions": [_permission(context, function, storage, rule) for storage, rule in rules.items()],
        "targets": [_target(context, function, failures, storage, rule) for storage, rule in rules.items()],
    }
    return Started(native=native, grants=scheduled.grants)


def _mapping(context: Context, function: Function, queue: str) -> EventSourceMapping:
    """Lambda takes messages in batches, and the handler says which are to come again; with `concurrency` one by one."""
    arguments = context.declared.arguments
    most = arguments.concurrency if isinstance(arguments, FunctionArguments) else None
    props = {
        "event_source_arn": context.built[queue].outputs["arn"],
        "function_name": function.arn,
        "batch_size": 1 if most else BATCH,
        "function_response_types": ["ReportBatchItemFailures"],
        # Without this, messages that meet a throttled Function count as received, and end as dead letters.
        "scaling_config": EventSourceMappingScalingConfigArgs(maximum_concurrency=max(most, _MIN_CONCURRENCY))
        if most
        else None,
        "tags": {"resource": context.declared.id},
    }
    return context.native("mappings", EventSourceMapping, props, suffix=queue)


def _schedules(context: Context, function: Function, failures: Failures, triggers: list[ScheduleTrigger]) -> Started:
    is_drained = context.stack.is_drained(context.declared)
    if not triggers and not is_drained:
        return Started(native={})
    role = access.role(context, "scheduler.amazonaws.com", role="schedule-role", part="schedule")
    start = allow("Start", ["lambda:InvokeFunction"], [function.arn])
    report = access.sends(context, failures.queue.arn)
    grant = access.grant(context, context.declared.id, "start on schedule", start, *_opened(context), *report)
    policies = access.attach(context, role, [grant], role="schedule-policies")
    waiting = context.waiting_for(policies)
    made = [
        _schedule(waiting, trigger, expression, part, _schedule_target(function, role, failures, trigger))
        for trigger in triggers
        for part, expression in enumerate(expressions(parse(trigger.cron)))
    ]
    if is_drained:
        made.append(_drain(waiting, function, role))
    native = {"schedules": made, "schedule-role": role, "schedule-policies": list(policies)}
    return Started(native=native, grants=(grant,))


def _opened(context: Context) -> tuple[Statement, ...]:
    """Scheduler decrypts what a schedule holds with the schedule's own role, or never starts anything."""
    config, where = context.deployment.config, place(context.deployment.settings)
    if config.encryption_key is None:
        return ()
    schedules = where.arn("scheduler", f"schedule/default/{config.prefix}-*")
    of_ours = {"ArnLike": {"kms:EncryptionContext:aws:scheduler:schedule:arn": schedules}}
    return (allow("OpenSchedules", ["kms:Decrypt"], [config.encryption_key], of_ours),)


def _schedule(
    context: Context, trigger: ScheduleTrigger, expression: str, part: int, target: ScheduleTargetArgs
) -> Schedule:
    """Named after what it says, not after its place in the list: another trigger before it changes nothing."""
    config, resource = context.deployment.config, context.declared.id
    digest = hashlib.sha256(f"{trigger.cron}|{trigger.timezone}".encode()).hexdigest()[:_DIGEST]
    name = f"{digest}-{part}" if part else digest
    props = {
        "name": naming.name(config, "schedule", resource, name),
        "description": f"{trigger.cron} {trigger.timezone}",
        "schedule_expression": expression,
        "schedule_expression_timezone": trigger.timezone,
        "flexible_time_window": ScheduleFlexibleTimeWindowArgs(mode="OFF"),
        "kms_key_arn": config.encryption_key,
        "target": target,
    }
    return context.native("schedules", Schedule, props, suffix=f"schedule-{name}")


def _drain(context: Context, function: Function, role: Role) -> Schedule:
    """Has the Function ask for its commands. One that fails is not tried again: the next minute comes."""
    config, resource = context.deployment.config, context.declared.id
    target = ScheduleTargetArgs(
        arn=function.arn,
        role_arn=role.arn,
        input=json.dumps({KEY: {"kind": DRAIN}}),
        retry_policy=ScheduleTargetRetryPolicyArgs(maximum_event_age_in_seconds=60, maximum_retry_attempts=0),
    )
    props = {
        "name": naming.name(config, "schedule", resource, DRAIN),
        "description": f"{resource} asks for its commands",
        "schedule_expression": "rate(1 minute)",
        "flexible_time_window": ScheduleFlexibleTimeWindowArgs(mode="OFF"),
        "kms_key_arn": config.encryption_key,
        "target": target,
    }
    return context.native("schedules", Schedule, props, suffix=f"schedule-{DRAIN}")


def _schedule_target(
    function: Function, role: Role, failures: Failures, trigger: ScheduleTrigger
) -> ScheduleTargetArgs:
    """The event says which schedule it is and which instant was meant; Scheduler fills in the instant."""
    event = {
        "kind": trigger.kind,
        "cron": trigger.cron,
        "timezone": trigger.timezone,
        "scheduledTime": "<aws.scheduler.scheduled-time>",
        "id": "<aws.scheduler.execution-id>",
    }
    return ScheduleTargetArgs(
        arn=function.arn,
        role_arn=role.arn,
        input=json.dumps({KEY: event}),
        dead_letter_config=ScheduleTargetDeadLetterConfigArgs(arn=failures.queue.arn),
        retry_policy=ScheduleTargetRetryPolicyArgs(
            maximum_event_age_in_seconds=_OLDEST_S, maximum_retry_attempts=_RETRIES
        ),
    )


def _rule(context: Context, storage: str) -> EventRule:
    bucket = naming.name(context.deployment.config, "bucket", storage)
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": [bucket]}}}
    props = {
        "name": rule_name(context, storage),
        "description": f"New objects in {storage} start {context.declared.id}",
        "event_pattern": json.dumps(pattern),
        "tags": {"resource": context.declared.id},
    }
    return context.native("rules", EventRule, props, suffix=f"{storage}-created")


def _permission(context: Context, function: Function, storage: str, rule: EventRule) -> Permission:
    props = {
        "action": "lambda:InvokeFunction",
        "function": function.name,
        "principal": "events.amazonaws.com",
        "source_arn": rule.arn,
        "source_account": place(context.deployment.settings).account,
    }
    return context.native("permissions", Permission, props, suffix=f"{storage}-created")


def _target(context: Context, function: Function, failures: Failures, storage: str, rule: EventRule) -> EventTarget:
    props = {
        "rule": rule.name,
        "target_id": context.declared.id,
        "arn": function.arn,
        "dead_letter_config": EventTargetDeadLetterConfigArgs(arn=failures.queue.arn),
        "retry_policy": EventTargetRetryPolicyArgs(
            maximum_event_age_in_seconds=_OLDEST_S, maximum_retry_attempts=_RETRIES
        ),
    }
    return context.waiting_for([failures.policy]).native("targets", EventTarget, props, suffix=f"{storage}-created")
