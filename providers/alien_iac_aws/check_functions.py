"""Functions: how far Lambda goes, the variables that it keeps for itself, the schedules that EventBridge can say."""

from collections.abc import Iterator, Mapping
from typing import Any

from alien_iac.checks.catalogue import finding
from alien_iac.models.arguments import FunctionArguments
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.crontab import parse
from alien_iac.models.declared import Stack
from alien_iac.models.finding import Finding
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.models.units import parse_bytes, parse_seconds
from alien_iac_aws import hosts
from alien_iac_aws.crontab import expressions
from alien_iac_aws.place import REGION

MAX_TIMEOUT_S, MAX_MEMORY_MIB = 900, 10_240
GATEWAY_S = 30
"""The longest that an HTTP API waits for an answer."""
NO_URLS = frozenset(
    {
        "ap-south-2",
        "ap-southeast-4",
        "ap-southeast-5",
        "ca-west-1",
        "eu-central-2",
        "eu-south-2",
        "il-central-1",
        "me-central-1",
    }
)
"""Regions where Lambda has no function URLs."""
_MIB = 2**20
RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_ACCOUNT_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
"""Variables that Lambda sets, and refuses from others; `AWS_ACCOUNT_ID` is ours."""


def check(stack: Stack, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Every Function."""
    for component in stack.components:
        if isinstance(component.arguments, FunctionArguments):
            yield from _limits(component.id, component.arguments)
            yield from _variables(component.id, component.arguments)
            yield from _public(component.id, component.arguments, stack.config)
            yield from _url(component.id, component.arguments, settings.get(REGION))
            for trigger in component.triggers:
                if isinstance(trigger, ScheduleTrigger):
                    yield from _schedule(component.id, trigger)


def _limits(resource: str, arguments: FunctionArguments) -> Iterator[Finding]:
    if parse_seconds(arguments.timeout) > MAX_TIMEOUT_S:
        hint = "at most 15m here; split the work into messages of a queue, or make it a Container"
        yield finding("AWS_LIMIT", resource, f'timeout "{arguments.timeout}" is longer than Lambda waits', hint)
    size = parse_bytes(arguments.memory)
    if size > MAX_MEMORY_MIB * _MIB:
        hint = "at most 10Gi here; a Container has more"
        yield finding("AWS_LIMIT", resource, f'memory "{arguments.memory}" is more than Lambda has', hint)
    elif size % _MIB:
        message = f'memory "{arguments.memory}" is {-(-size // _MIB)}Mi: Lambda counts whole MiB'
        yield finding("AWS_ROUNDED", resource, message)


def _variables(resource: str, arguments: FunctionArguments) -> Iterator[Finding]:
    for name in sorted(RESERVED & set(arguments.env)):
        yield finding("ENV_RESERVED", resource, f"env: {name} is set by Lambda itself", "rename it")


def _public(resource: str, arguments: FunctionArguments, config: DeploymentConfig | None) -> Iterator[Finding]:
    if not arguments.public or arguments.domain is None or config is None:
        return
    if hosts.host(config, arguments.domain) is None:
        message = f'{resource} is to be "{arguments.domain}" below it, and the config does not have it'
        yield finding("CONFIG_MISSING", "alien:domain", message, "set it, or give the Function a whole name")
    if parse_seconds(arguments.timeout) > GATEWAY_S:
        message = f"under its domain a request ends after {GATEWAY_S} s, whatever its timeout"
        yield finding("AWS_GATEWAY", resource, message, "without a domain it has a function URL, which waits")


def _url(resource: str, arguments: FunctionArguments, region: object) -> Iterator[Finding]:
    if arguments.public and arguments.domain is None and region in NO_URLS:
        message = f"Lambda has no function URLs in {region}, and without a domain a public Function has one"
        yield finding("UNSUPPORTED", resource, message, "give it a domain: API Gateway answers there")


def _schedule(resource: str, trigger: ScheduleTrigger) -> Iterator[Finding]:
    try:
        crontab = parse(trigger.cron)
    except ValueError:
        return  # a finding of its own
    try:
        said = expressions(crontab)
    except ValueError as wrong:
        yield finding("AWS_SCHEDULE", resource, f'"{trigger.cron}": {wrong}', "use two schedules")
        return
    if len(said) > 1:
        message = f'"{trigger.cron}" is two schedules: on a day that matches both, its handlers start twice'
        yield finding("AWS_SCHEDULE_TWICE", resource, message)
