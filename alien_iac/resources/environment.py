"""The variables that a workload starts with on every platform; a platform adds bindings and its own."""

import json

from alien_iac.models.arguments import FunctionArguments
from alien_iac.models.declared import Declared
from alien_iac.models.units import parse_seconds
from alien_iac.protocol import environment as names
from alien_iac.resources.deployment import Deployment


def workload_type(declared: Declared) -> str:
    """The word of the protocols for its kind: `worker` or `container`."""
    return "worker" if declared.kind == "Function" else "container"


def token_id(workload: str) -> str:
    """The id of the Secret with a workload's token, which the workload makes itself where it needs one."""
    return f"{workload}-commands"


def token_secret(declared: Declared) -> str | None:
    """The Secret with the workload's token, where it has one."""
    own = token_id(declared.id)
    linked = any((link.resource, link.kind) == (own, "Secret") for link in declared.links)
    return own if linked and declared.commands else None


def common(declared: Declared, deployment: Deployment) -> dict[str, str]:
    """Who and where the workload is, what starts it, and where the agent is."""
    told = {
        names.DEPLOYMENT_TYPE: deployment.platform.value,
        names.DEPLOYMENT_ID: deployment.id,
        names.RESOURCE_ID: declared.id,
        names.RESOURCE_TYPE: workload_type(declared),
        names.RELEASE: deployment.release,
    }
    return {**told, **_function(declared), **_agent(declared, deployment)}


def _function(declared: Declared) -> dict[str, str]:
    arguments = declared.arguments
    if not isinstance(arguments, FunctionArguments):
        return {}
    told = {
        names.TIMEOUT_SECONDS: str(parse_seconds(arguments.timeout)),
        names.TRIGGERS: json.dumps([trigger.model_dump() for trigger in arguments.triggers]),
    }
    return {**told, names.CONCURRENCY: str(arguments.concurrency)} if arguments.concurrency else told


def _agent(declared: Declared, deployment: Deployment) -> dict[str, str]:
    """Where the agent is, and where a workload asks for its commands: a Function only where no agent calls it."""
    config = deployment.config
    told = {names.AGENT_URL: config.agent_url} if config.agent_url else {}
    asked = config.control_plane if config.is_pushed else config.agent_url if declared.kind == "Container" else None
    if asked is None or not declared.commands:
        return told
    secret = token_secret(declared)
    return {
        **told,
        names.COMMANDS_URL: f"{asked}/v1",
        names.COMMANDS_TARGET_ID: declared.id,
        names.COMMANDS_TARGET_TYPE: workload_type(declared),
        **({names.COMMANDS_TOKEN_SECRET: secret} if secret else {}),
    }
