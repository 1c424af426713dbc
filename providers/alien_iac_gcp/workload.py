"""What Functions and Containers have in common: the environment that they start in, and who may start them."""

import json

import pulumi

from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.declared import Declared
from alien_iac.protocol import cloud_run
from alien_iac.protocol.code import APP, INSTALLED
from alien_iac.protocol.environment import PORT, binding_name, volume_name
from alien_iac.resources.context import Context
from alien_iac.resources.environment import common
from alien_iac.resources.telemetry import telemetry
from alien_iac_gcp.accounts import TRIGGERS, email
from alien_iac_gcp.addresses import run_url
from alien_iac_gcp.bindings import binding
from alien_iac_gcp.place import place
from alien_iac_gcp.shape import callers, shape

RUNTIME = ("python", "-m", "alien_iac.runtime.function", APP)
MAIN = ("python", "main.py")
AGENT = "agent"
"""The id under which `alien onboard` makes the agent's account; the double hyphen keeps it apart from workloads."""


def environment(context: Context) -> dict[str, pulumi.Input[str]]:
    """The author's variables, ours over them, and a binding for each component that it is linked to."""
    where = place(context.deployment.settings)
    return {
        **telemetry(context),
        **context.recorded.given["env"],
        **common(context.declared, context.deployment),
        "GCP_PROJECT_ID": where.project,
        "GOOGLE_CLOUD_PROJECT": where.project,
        "GCP_REGION": where.region,
        **({"PYTHONPATH": f"{APP}/{INSTALLED}"} if context.artifact else {}),
        **{binding_name(target.id): _told(target, context) for target in context.linked},
        **(_callers(context) if context.declared.kind == "Function" else _container(context)),
    }


def account_of(context: Context) -> str:
    """The address of the account that the workload runs as."""
    return email(context.deployment.config, place(context.deployment.settings), context.declared.id)


def of_source(declared: Declared) -> list[str]:
    """What an image that is made of a source runs."""
    if not isinstance(declared.arguments, ContainerArguments):
        return list(RUNTIME)
    return list(declared.arguments.command or MAIN)


def of_image(declared: Declared) -> list[str] | None:
    """What the author says an image of theirs runs; None for what it says itself."""
    arguments = declared.arguments
    given = arguments.command if isinstance(arguments, ContainerArguments) and arguments.source is None else None
    return list(given) if given else None


def is_started(context: Context) -> bool:
    """Whether the account that may do nothing but start this Function is needed."""
    return bool(context.declared.triggers) or context.stack.is_drained(context.declared)


def _told(target: Declared, context: Context) -> pulumi.Output[str]:
    return binding(target, context).apply(lambda told: json.dumps(told.dump(), sort_keys=True))


def _callers(context: Context) -> dict[str, pulumi.Input[str]]:
    """Who may come in to what is not for the public; a public Function asks itself, since Cloud Run does not there."""
    config, where = context.deployment.config, place(context.deployment.settings)
    known = [email(config, where, caller.id) for caller in callers(context.stack, context.declared)]
    if is_started(context):
        known.append(email(config, where, context.declared.id, TRIGGERS))
    if context.stack.is_called_by_agent(context.declared):
        known.append(email(config, where, f"-{AGENT}"))
    told: dict[str, pulumi.Input[str]] = {
        cloud_run.CALLERS: json.dumps(sorted(known)),
        cloud_run.AUDIENCE: run_url(context, context.declared.id),
    }
    is_public = context.declared.workload is not None and context.declared.workload.public
    return told if is_public else {**told, cloud_run.ASKED: "true"}


def _container(context: Context) -> dict[str, pulumi.Input[str]]:
    """A machine's port and volumes; Cloud Run says the port itself, and takes no variable of this name."""
    arguments = context.declared.arguments
    if not isinstance(arguments, ContainerArguments) or shape(context.declared) != "machine":
        return {}
    volumes: dict[str, pulumi.Input[str]] = {volume_name(v.mount_path): v.mount_path for v in arguments.volumes}
    return {**volumes, PORT: str(arguments.port)} if arguments.port is not None else volumes
