"""What a Function and a Container have in common here: a supervised process, told everything by its environment."""

import json
from typing import Any

import pulumi

from alien_iac.models.declared import Declared
from alien_iac.protocol.environment import (
    COMMANDS_TOKEN_FILE,
    COMMANDS_TOKEN_SECRET,
    COMMANDS_URL,
    STATE_DIR,
    TOKEN_FILE,
    binding_name,
)
from alien_iac.protocol.local import Layout
from alien_iac.resources.context import Context
from alien_iac.resources.environment import common
from alien_iac.resources.telemetry import telemetry
from alien_iac_local import docker
from alien_iac_local.bindings import binding

STOP_SECONDS = 30


def arguments(context: Context) -> dict[str, Any]:
    """The inputs of the workload's process, but for its command and health."""
    name, layout = context.declared.id, Layout(context.deployment.local_dir)
    code = {"code": str(context.artifact.path), "code_hash": context.artifact.sha256} if context.artifact else {}
    return {
        "name": name,
        **code,
        "env": environment(context, layout),
        "needs_port": True,
        "stop_seconds": STOP_SECONDS,
        "token_file": str(layout.token(name)),
        "release": context.deployment.release,
    }


def environment(context: Context, layout: Layout) -> dict[str, pulumi.Input[str]]:
    """The author's variables, and ours over them."""
    name = context.declared.id
    ours = common(context.declared, context.deployment)
    if COMMANDS_URL in ours and COMMANDS_TOKEN_SECRET not in ours:
        ours[COMMANDS_TOKEN_FILE] = str(layout.token(name))
    return {
        **telemetry(context),
        **context.recorded.given["env"],
        **ours,
        **{binding_name(target.id): _told(target, layout) for target in context.linked},
        STATE_DIR: str(layout.workload(name) / "state"),
        TOKEN_FILE: str(layout.token(name)),
    }


def _told(target: Declared, layout: Layout) -> str:
    return json.dumps(binding(target, layout).dump(), sort_keys=True)


def command(context: Context, of_source: list[str], env: dict[str, Any], mounts: dict[str, str]) -> Any:
    """What the process runs: the source in its folder, or the image under Docker."""
    if context.artifact is not None:
        return of_source
    return docker.command(context, sorted(env), mounts)
