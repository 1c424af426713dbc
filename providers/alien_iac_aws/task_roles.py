"""The roles of a Container: one for what ECS does to start it, and one for what its own code does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.cloudwatch import LogGroup
from pulumi_aws.iam import Role

from alien_iac.resources.context import Context, Grant
from alien_iac_aws import access, volumes
from alien_iac_aws.container_image import Imported
from alien_iac_aws.policy import Statement, allow

_TASKS = "ecs-tasks.amazonaws.com"
_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Both roles, and what they are granted."""

    execution: Role
    role: Role
    starting: tuple[pulumi.Resource, ...]
    policies: tuple[pulumi.Resource, ...]
    grants: tuple[Grant, ...]

    @property
    def native(self) -> dict[str, Any]:
        """What was made, by role."""
        return {
            "execution-role": self.execution,
            "execution-policies": list(self.starting),
            "role": self.role,
            "policies": list(self.policies),
        }


def build(context: Context, imported: Imported, logs: LogGroup, mounted: tuple[volumes.Volume, ...]) -> Roles:
    """One role for what ECS does to start it, and one for what its own code does."""
    execution = access.role(context, _TASKS, role="execution-role", part="execution")
    starts = access.grant(context, context.declared.id, "start", *_starting(imported, logs))
    role = access.role(context, _TASKS)
    grants = (*access.policies(context), *volumes.grants(context, mounted))
    return Roles(
        execution=execution,
        role=role,
        starting=access.attach(context, execution, [starts], role="execution-policies"),
        policies=access.attach(context, role, grants),
        grants=(starts, *grants),
    )


def _starting(imported: Imported, logs: LogGroup) -> Iterator[Statement]:
    yield allow("RegistryToken", ["ecr:GetAuthorizationToken"], ["*"])
    yield allow("Pull", _PULL, [imported.repository])
    yield allow("Log", _LOG, [pulumi.Output.concat(logs.arn, ":log-stream:*")])
