"""`review.answers.yaml` beside `Pulumi.yaml`: what a stack program asks a cloud for, answered by its author.

invokes:
  aws:ec2/getVpc:getVpc: {id: vpc-0a1b2c3d, cidrBlock: 10.0.0.0/16}
resources:
  aws:sns/topic:Topic: {arn: "arn:aws:sns:eu-central-1:123456789012:alerts"}
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from alien_iac.errors import InvalidInput

FILE = "review.answers.yaml"


class Answers(BaseModel):
    """By token: what a function returns, and the outputs that a resource has beside its inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    invokes: Mapping[str, Mapping[str, Any]] = {}
    resources: Mapping[str, Mapping[str, Any]] = {}


def load(folder: Path) -> Answers:
    """The answers of a project; none where there is no file. Raises InvalidInput for one that is not as above."""
    path = folder / FILE
    if not path.is_file():
        return Answers()
    try:
        return Answers.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, ValidationError) as error:
        raise InvalidInput(
            f"{path} cannot be read: {error}", hint="it has `invokes` and `resources`, by token"
        ) from error
