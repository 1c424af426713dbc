"""Schedules of a Function in a Container App: a job each, which runs its image once at its instants."""

import json
from dataclasses import dataclass
from typing import Any

from pulumi_azure_native.app import (
    Job,
    JobConfigurationArgs,
    JobConfigurationScheduleTriggerConfigArgs,
    JobTemplateArgs,
)

from alien_iac.models.arguments import FunctionArguments
from alien_iac.models.units import parse_seconds
from alien_iac.protocol import azure_functions
from alien_iac.resources.context import Context
from alien_iac_azure import apps, crontab, environments, naming
from alien_iac_azure.shared import inside
from alien_iac_azure.workload import schedules

_RETRIES = 1
_EVERY_MINUTE = "* * * * *"
_DRAINED = {"asking for commands every minute": "USD 6.50"}


def build(context: Context, arguments: FunctionArguments, app: apps.App) -> list[Job]:
    """A job for each schedule, with the app's own identity; and one that asks for commands. Role: `jobs`."""
    made = [
        _job(
            context,
            f"schedule-{number}",
            json.dumps(trigger.model_dump(), sort_keys=True),
            app,
            _Runs(cron=crontab.job(trigger), timeout_s=parse_seconds(arguments.timeout), retries=_RETRIES),
        )
        for number, trigger in enumerate(schedules(context.declared))
    ]
    if context.stack.is_drained(context.declared):
        # One that fails is not tried again: the next minute comes.
        runs = _Runs(cron=_EVERY_MINUTE, timeout_s=parse_seconds(arguments.timeout), retries=0)
        made.append(_job(context, azure_functions.DRAIN, azure_functions.DRAIN, app, runs))
    return made


def idle(context: Context) -> dict[str, str]:
    """What the job costs that asks for commands."""
    return _DRAINED if context.stack.is_drained(context.declared) else {}


@dataclass(frozen=True, kw_only=True)
class _Runs:
    cron: str
    timeout_s: int
    retries: int


def _job(context: Context, part: str, what: str, app: apps.App, runs: _Runs) -> Job:
    where, resource = environments.of(context, context.declared), context.declared.id
    run = apps.App(
        identity=app.identity,
        image=app.image,
        size=app.size,
        variables={**app.variables, azure_functions.JOB: what},
        scale=app.scale,
    )
    props: dict[str, Any] = {
        **inside(context, resource=resource),
        "job_name": naming.name(context.deployment.config, "job", resource, part),
        "environment_id": where.id,
        "workload_profile_name": environments.PROFILE,
        "identity": apps.identities(app.identity, app.image),
        "configuration": JobConfigurationArgs(
            trigger_type="Schedule",
            replica_timeout=runs.timeout_s,
            replica_retry_limit=runs.retries,
            schedule_trigger_config=JobConfigurationScheduleTriggerConfigArgs(
                cron_expression=runs.cron, parallelism=1, replica_completion_count=1
            ),
            registries=app.image.registries,
            identity_settings=app.image.hidden,
        ),
        "template": JobTemplateArgs(containers=[apps.container(context, run)]),
    }
    return context.waiting_for([app.image.may, *where.ready]).native("jobs", Job, props, suffix=part)
