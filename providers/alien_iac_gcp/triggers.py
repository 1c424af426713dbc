"""What starts a Function: schedules and new objects. A queue pushes by its own subscription, which it makes itself.

New objects are Cloud Storage's own notices, on a topic of the Function's: so only that topic has to be opened to Cloud
Storage, where Eventarc would want a role on the whole project, and what fails becomes a dead letter.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_gcp.cloudscheduler import Job, JobHttpTargetArgs, JobHttpTargetOidcTokenArgs, JobRetryConfigArgs
from pulumi_gcp.pubsub import TopicIAMMember
from pulumi_gcp.storage import Notification

from alien_iac.models.arguments import DAY, FunctionArguments
from alien_iac.models.crontab import parse
from alien_iac.models.triggers import CreatedTrigger, ScheduleTrigger
from alien_iac.models.units import parse_seconds
from alien_iac.protocol import cloud_run
from alien_iac.resources.context import Context, Grant
from alien_iac_gcp import naming
from alien_iac_gcp.accounts import TRIGGERS, email
from alien_iac_gcp.addresses import run_url
from alien_iac_gcp.crontab import expressions
from alien_iac_gcp.encryption import storage_agent
from alien_iac_gcp.place import place
from alien_iac_gcp.pubsub import Channel, Delivery, channel, deadline_s, full_name
from alien_iac_gcp.shared import with_apis

MIN_ATTEMPT_S, MAX_ATTEMPT_S = 15, 1800
"""What Cloud Scheduler waits for an answer."""
RETRIES = 3
CREATED_GRACE_S, CREATED_DEADLINE_S, CREATED_RECEIVES = 10, 60, 5
Natives = dict[str, list[pulumi.Resource]]


@dataclass(frozen=True, kw_only=True)
class Started:
    """What starts a Function."""

    native: Natives
    """Role to its resources."""
    grants: tuple[Grant, ...]


def started_by(context: Context, waits: tuple[pulumi.Resource, ...]) -> Started:
    """Make what starts the context's Function, once that is there."""
    context = context.waiting_for(waits)
    schedules = [t for t in context.declared.triggers if isinstance(t, ScheduleTrigger)]
    jobs: list[pulumi.Resource] = []
    for number, trigger in enumerate(schedules):
        for each, expression in enumerate(expressions(parse(trigger.cron))):
            part = f"schedule-{number}" + (f"-{each}" if each else "")
            jobs.append(_scheduled(context, trigger, expression, part))
    if context.stack.is_drained(context.declared):
        jobs.append(_drain(context))
    made: Natives = {"schedules": jobs} if jobs else {}
    grants: tuple[Grant, ...] = ()
    for created in dict.fromkeys(t for t in context.declared.triggers if isinstance(t, CreatedTrigger)):
        notices = _created(context, created.resource)
        grants += notices.grants
        for role, resources in notices.native.items():
            made[role] = [*made.get(role, []), *resources]
    return Started(native=made, grants=grants)


def _scheduled(context: Context, trigger: ScheduleTrigger, expression: str, part: str) -> Job:
    body = base64.b64encode(json.dumps(trigger.model_dump(), sort_keys=True).encode()).decode()
    props = {
        "description": f"Starts {context.declared.id} at {trigger.cron} in {trigger.timezone}",
        "schedule": expression,
        "time_zone": trigger.timezone,
        "retry_config": JobRetryConfigArgs(retry_count=RETRIES, min_backoff_duration="10s"),
    }
    return _job(context, part, props, _target(context, cloud_run.SCHEDULES_PATH, body))


def _drain(context: Context) -> Job:
    """Has the Function ask for its commands. One that fails is not tried again: the next minute comes."""
    props = {
        "description": f"{context.declared.id} asks for its commands",
        "schedule": "* * * * *",
        "time_zone": "UTC",
        "retry_config": JobRetryConfigArgs(retry_count=0),
    }
    return _job(context, "schedule-drain", props, _target(context, cloud_run.DRAIN_PATH))


def _job(context: Context, part: str, props: Mapping[str, Any], target: JobHttpTargetArgs) -> Job:
    arguments = context.declared.arguments
    timeout = parse_seconds(arguments.timeout) if isinstance(arguments, FunctionArguments) else MAX_ATTEMPT_S
    whole = {
        "name": naming.name(context.deployment.config, "job", context.declared.id, part),
        "region": place(context.deployment.settings).region,
        "attempt_deadline": f"{min(MAX_ATTEMPT_S, max(MIN_ATTEMPT_S, timeout))}s",
        **props,
        "http_target": target,
    }
    return with_apis(context, "cloudscheduler").native("schedules", Job, whole, suffix=part)


def _target(context: Context, path: str, body: str | None = None) -> JobHttpTargetArgs:
    url = run_url(context, context.declared.id)
    starter = email(context.deployment.config, place(context.deployment.settings), context.declared.id, TRIGGERS)
    return JobHttpTargetArgs(
        http_method="POST",
        uri=pulumi.Output.concat(url, path),
        headers={"Content-Type": "application/json"} if body else None,
        body=body,
        oidc_token=JobHttpTargetOidcTokenArgs(service_account_email=starter, audience=url),
    )


def _created(context: Context, storage: str) -> Started:
    """A topic for the notices of one storage."""
    made = channel(context, _delivery(context, storage), part=storage, kept=False)
    allowed = {"topic": full_name(context, storage), "role": "roles/pubsub.publisher"}
    told = Grant(workload="Cloud Storage", resource=context.declared.id, verb="tell of new objects", policy=allowed)
    member = {"topic": made.topic.name, "member": storage_agent(context)}
    publisher = context.native("notices-publisher", TopicIAMMember, {**allowed, **member}, suffix=f"{storage}-notices")
    notices = {
        "bucket": naming.name(context.deployment.config, "bucket", storage),
        "topic": full_name(context, storage),
        "payload_format": "JSON_API_V1",
        "event_types": ["OBJECT_FINALIZE"],
    }
    waiting = context.waiting_for([publisher, made.subscription])
    notification = waiting.native("notices", Notification, notices, suffix=f"{storage}-notices")
    native: Natives = {"notices": [notification], "notices-publisher": [publisher], **_roles(made)}
    return Started(native=native, grants=(told, *made.grants))


def _delivery(context: Context, storage: str) -> Delivery:
    arguments = context.declared.arguments
    timeouts = [parse_seconds(arguments.timeout)] if isinstance(arguments, FunctionArguments) else []
    return Delivery(
        deadline_s=deadline_s(timeouts, CREATED_GRACE_S, CREATED_DEADLINE_S),
        retention_s=7 * DAY,
        max_receives=CREATED_RECEIVES,
        function=context.declared.id,
        path=cloud_run.created_path(storage),
    )


def _roles(made: Channel) -> Natives:
    return {
        "topic": [made.topic],
        "subscription": [made.subscription],
        "dead-topic": [made.dead_topic],
        "dead-subscription": [made.dead_subscription],
        "dead-publisher": [made.agent_members[0]],
        "dead-mover": [made.agent_members[1]],
    }
