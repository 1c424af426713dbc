"""Schedules of a Function from an image: a job each, which runs the image once at its instants."""

import json
from typing import Any

from pulumi_azure_native.app import (
    Job,
    JobConfigurationArgs,
    JobConfigurationScheduleTriggerConfigArgs,
    JobTemplateArgs,
)

from alien_iac.models.arguments import FunctionArguments
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.models.units import parse_seconds
from alien_iac.protocol import azure_functions
from alien_iac.resources.context import Context
from alien_iac_azure import apps, crontab, environments, naming
from alien_iac_azure.shared import inside
from alien_iac_azure.workload import schedules

_RETRIES = 1


def build(context: Context, arguments: FunctionArguments, app: apps.App) -> list[Job]:
    """A job for each schedule, with the app's own identity. Role: `jobs`."""
    return [
        _job(context, arguments, app, number, trigger) for number, trigger in enumerate(schedules(context.declared))
    ]


def _job(context: Context, arguments: FunctionArguments, app: apps.App, number: int, trigger: ScheduleTrigger) -> Job:
    where, resource = environments.of(context, context.declared), context.declared.id
    run = apps.App(
        identity=app.identity,
        image=app.image,
        size=app.size,
        variables={**app.variables, azure_functions.JOB: json.dumps(trigger.model_dump(), sort_keys=True)},
        scale=app.scale,
    )
    props: dict[str, Any] = {
        **inside(context, resource=resource),
        "job_name": naming.name(context.deployment.config, "job", resource, f"schedule-{number}"),
        "environment_id": where.id,
        "workload_profile_name": environments.PROFILE,
        "identity": apps.identities(app.identity, app.image),
        "configuration": JobConfigurationArgs(
            trigger_type="Schedule",
            replica_timeout=parse_seconds(arguments.timeout),
            replica_retry_limit=_RETRIES,
            schedule_trigger_config=JobConfigurationScheduleTriggerConfigArgs(
                cron_expression=crontab.job(trigger), parallelism=1, replica_completion_count=1
            ),
            registries=app.image.registries,
            identity_settings=app.image.hidden,
        ),
        "template": JobTemplateArgs(containers=[apps.container(context, run)]),
    }
    return context.waiting_for([app.image.may, *where.ready]).native("jobs", Job, props, suffix=f"schedule-{number}")
