"""The task definition of a Container: what runs, how big, with which variables, and how its health shows."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.cloudwatch import LogGroup
from pulumi_aws.ecs import TaskDefinition, TaskDefinitionRuntimePlatformArgs, TaskDefinitionVolumeArgs
from pulumi_aws.iam import Role

from alien_iac.models.arguments import ContainerArguments
from alien_iac.protocol.code import APP
from alien_iac.protocol.environment import PORT
from alien_iac.resources.context import Context
from alien_iac_aws import fargate, naming, volumes
from alien_iac_aws.place import place
from alien_iac_aws.volumes import Volume
from alien_iac_aws.workload import environment

STOP_S = 30
"""How long a replica may go on with what it has begun once it is told to stop."""
COMMAND = ("python", "main.py")
"""What a source runs unless its author says otherwise."""
_TMP, _TMP_PATH = "tmp", "/tmp"  # noqa: S108 - a path in the container, of its own
_ASK_HTTP = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=4).close()"
_ASK_TCP = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 4).close()"
_CHECK = {"interval": 10, "timeout": 5, "retries": 3, "startPeriod": 60}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a task definition is made of."""

    size: fargate.Size
    image: pulumi.Input[str]
    logs: LogGroup
    execution: Role
    role: Role
    volumes: tuple[Volume, ...]


def build(context: Context, arguments: ContainerArguments, parts: Parts) -> TaskDefinition:
    """The task definition. Role: `task`."""
    architecture = fargate.architecture(arguments).upper()
    props = {
        "family": naming.name(context.deployment.config, "service", context.declared.id),
        "requires_compatibilities": ["FARGATE"],
        "network_mode": "awsvpc",
        "cpu": str(parts.size.cpu),
        "memory": str(parts.size.memory),
        "runtime_platform": TaskDefinitionRuntimePlatformArgs(
            operating_system_family="LINUX", cpu_architecture=architecture
        ),
        "execution_role_arn": parts.execution.arn,
        "task_role_arn": parts.role.arn,
        "container_definitions": pulumi.Output.json_dumps([_container(context, arguments, parts)], sort_keys=True),
        "volumes": [*_scratch(arguments), *(volumes.task_volume(volume) for volume in parts.volumes)],
        "tags": {"resource": context.declared.id},
    }
    return context.native("task", TaskDefinition, props, suffix="task")


def _container(context: Context, arguments: ContainerArguments, parts: Parts) -> dict[str, Any]:
    variables = _variables(context, arguments)
    mounts = [_mount(volume.name, volume.mount_path) for volume in parts.volumes]
    return {
        "name": context.declared.id,
        "image": parts.image,
        "essential": True,
        "privileged": False,
        "environment": [{"name": name, "value": variables[name]} for name in sorted(variables)],
        "portMappings": [{"containerPort": arguments.port, "protocol": "tcp"}] if arguments.port else [],
        "stopTimeout": STOP_S,
        "logConfiguration": _logging(context, parts.logs),
        **(_of_source(arguments, mounts) if arguments.source is not None else _of_image(arguments, mounts)),
    }


def _of_source(arguments: ContainerArguments, mounts: list[dict[str, Any]]) -> dict[str, Any]:
    """Our own image: nothing of it can be written to but the scratch space, and it has no privileges at all."""
    check = _health(arguments)
    return {
        "command": list(arguments.command or COMMAND),
        "workingDirectory": APP,
        "readonlyRootFilesystem": True,
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "mountPoints": [_mount(_TMP, _TMP_PATH), *mounts],
        **({"healthCheck": check} if check else {}),
    }


def _of_image(arguments: ContainerArguments, mounts: list[dict[str, Any]]) -> dict[str, Any]:
    """Somebody else's image: it may write where it likes, and which tools it has to be asked with is not known."""
    return {
        **({"command": list(arguments.command)} if arguments.command else {}),
        "readonlyRootFilesystem": False,
        "linuxParameters": {"initProcessEnabled": True},
        "mountPoints": mounts,
    }


def _variables(context: Context, arguments: ContainerArguments) -> dict[str, pulumi.Input[str]]:
    port: dict[str, pulumi.Input[str]] = {PORT: str(arguments.port)} if arguments.port else {}
    return {**environment(context), **volumes.environment(arguments), **port}


def _scratch(arguments: ContainerArguments) -> list[TaskDefinitionVolumeArgs]:
    return [TaskDefinitionVolumeArgs(name=_TMP)] if arguments.source is not None else []


def _mount(name: str, path: str) -> dict[str, Any]:
    return {"sourceVolume": name, "containerPath": path, "readOnly": False}


def _health(arguments: ContainerArguments) -> dict[str, Any] | None:
    if arguments.port is None:
        return None
    path = arguments.health_path
    asked = (_ASK_HTTP, f"http://127.0.0.1:{arguments.port}{path}") if path else (_ASK_TCP, str(arguments.port))
    return {"command": ["CMD", "python", "-c", *asked], **_CHECK}


def _logging(context: Context, logs: LogGroup) -> dict[str, Any]:
    options = {
        "awslogs-group": logs.name,
        "awslogs-region": place(context.deployment.settings).region,
        "awslogs-stream-prefix": context.declared.id,
        # A Container goes on when its log cannot be written at once.
        "mode": "non-blocking",
        "max-buffer-size": "25m",
    }
    return {"logDriver": "awslogs", "options": options}
