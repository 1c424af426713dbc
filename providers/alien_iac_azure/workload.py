"""What Functions and Containers have in common: the environment that they start in, and what the image runs."""

import json

import pulumi
from pulumi_azure_native.managedidentity import UserAssignedIdentity

from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Declared
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.protocol import azure_functions
from alien_iac.protocol.code import APP, requirements_folder
from alien_iac.protocol.environment import PORT, binding_name, volume_name
from alien_iac.resources.context import Context
from alien_iac.resources.environment import common
from alien_iac.resources.telemetry import telemetry
from alien_iac_azure import bus, crontab, events, placement
from alien_iac_azure.access import watched
from alien_iac_azure.bindings import binding
from alien_iac_azure.place import place

RUNTIME = ("python", "-m", "alien_iac.runtime.function", APP)
FUNCTION_PORT = 8080
"""Where a Function in a container listens."""

Variables = dict[str, pulumi.Input[str]]


def environment(context: Context, identity: UserAssignedIdentity) -> Variables:
    """The author's variables, ours over them, and a binding for each component that it is linked to."""
    where = place(context.deployment.settings)
    return {
        **telemetry(context),
        **context.recorded.given["env"],
        **common(context.declared, context.deployment),
        "AZURE_CLIENT_ID": identity.client_id,
        "AZURE_REGION": where.location,
        "AZURE_SUBSCRIPTION_ID": where.subscription,
        "AZURE_TENANT_ID": where.tenant,
        **{binding_name(target.id): _told(target, context) for target in context.linked},
        **_started(context),
    }


def in_container(context: Context) -> Variables:
    """What a workload in a container is told beside that."""
    arguments = context.declared.arguments
    folder = requirements_folder("azure", context.declared.kind)
    python: Variables = {"PYTHONPATH": f"{APP}/{folder}"} if context.artifact else {}
    if not isinstance(arguments, ContainerArguments):
        return {**python, PORT: str(FUNCTION_PORT)}
    port: Variables = {PORT: str(arguments.port)} if arguments.port else {}
    volumes: Variables = {volume_name(v.mount_path): v.mount_path for v in arguments.volumes}
    return {**python, **port, **volumes}


def command(context: Context) -> list[str] | None:
    """What the image runs; None for what the image says itself."""
    arguments = context.declared.arguments
    if isinstance(arguments, ContainerArguments) and arguments.command:
        return list(arguments.command)
    if context.artifact is None:
        return None
    return ["python", "main.py"] if context.declared.kind == "Container" else list(RUNTIME)


def schedules(declared: Declared) -> tuple[ScheduleTrigger, ...]:
    """The schedules that start a Function, in their order."""
    return tuple(trigger for trigger in declared.triggers if isinstance(trigger, ScheduleTrigger))


def _told(target: Declared, context: Context) -> pulumi.Output[str]:
    return binding(target, context).apply(lambda told: json.dumps(told.dump(), sort_keys=True))


def _started(context: Context) -> Variables:
    """Timers by their number, and where notices of new objects come from."""
    timers: Variables = {
        azure_functions.timer_name(number): crontab.timer(trigger)
        for number, trigger in enumerate(schedules(context.declared))
    }
    queues = {storage: events.queue_name(context, storage) for storage in watched(context.declared)}
    told: Variables = {azure_functions.CREATED_QUEUES: json.dumps(queues, sort_keys=True)} if queues else {}
    namespace: Variables = {azure_functions.NAMESPACE: bus.full_name(context)} if queues else {}
    called: Variables = {azure_functions.CALLED: "true"} if _is_called(context) else {}
    return {**timers, **told, **namespace, **called}


def _is_called(context: Context) -> bool:
    return context.declared.kind == "Function" and placement.is_called(context.stack, context.declared)
