"""The image that a Container runs, in the customer's own registry: assembled from its source, or copied by its digest.

An image that is in a registry of this account and region already is used as it is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.ecr import LifecyclePolicy

from alien_iac.models.arguments import ContainerArguments
from alien_iac.protocol.code import BASE
from alien_iac.resources.context import Context
from alien_iac.resources.native import Image
from alien_iac_aws import fargate, image, task
from alien_iac_aws.place import Place, place

KEPT_IMAGES = 20
"""More than an update ever leaves behind: it deletes what it replaced."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """An image that ECS can start."""

    reference: pulumi.Input[str]
    repository: pulumi.Input[str]
    """The ARN of its repository."""
    native: Mapping[str, Any]


def build(context: Context, arguments: ContainerArguments) -> Imported:
    """The image. Roles, but for one that is there already: `repository`, `repository-lifecycle`, `image`."""
    given, where = context.recorded.given["image"], place(context.deployment.settings)
    if isinstance(given, str) and where.holds(given):
        return Imported(reference=given, repository=_arn(given, where), native={})
    registry = image.repository(context)
    rules = {"repository": registry.name, "policy": json.dumps({"rules": [_rule()]}, sort_keys=True)}
    lifecycle = context.native("repository-lifecycle", LifecyclePolicy, rules, suffix="image-lifecycle")
    props = {**_content(context, arguments), "repository": registry.repository_url, "identity": image.identity(context)}
    made = context.native("image", Image, props, suffix="image")
    native = {"repository": registry, "repository-lifecycle": lifecycle, "image": made}
    return Imported(reference=made.reference, repository=registry.arn, native=native)


def _content(context: Context, arguments: ContainerArguments) -> dict[str, Any]:
    architecture = fargate.architecture(arguments)
    if context.artifact is None:
        return {"source": context.recorded.given["image"], "architecture": architecture}
    return {
        "source": str(context.artifact.path),
        "sha256": context.artifact.sha256,
        "base": BASE,
        "architecture": architecture,
        "command": list(arguments.command or task.COMMAND),
    }


def _rule() -> dict[str, Any]:
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": KEPT_IMAGES}
    return {
        "rulePriority": 1,
        "description": f"the last {KEPT_IMAGES} images",
        "selection": selection,
        "action": {"type": "expire"},
    }


def _arn(reference: str, where: Place) -> str:
    """The ARN of the repository that an image of this account and region is in."""
    path = reference.partition("/")[2].partition("@")[0].partition(":")[0]
    return where.arn("ecr", f"repository/{path}")
