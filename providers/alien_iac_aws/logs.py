"""Log groups, made before anything writes to them, so that they end and are encrypted with the customer's key."""

from typing import Any, Literal

from alien_iac.models.config import DeploymentConfig
from alien_iac_aws import naming

RETENTION_DAYS = 365


def log_group(
    config: DeploymentConfig, family: Literal["apigateway", "ecs", "lambda", "vpc"], resource: str
) -> dict[str, Any]:
    """The properties of a `cloudwatch.LogGroup`; `resource` is a component's id, or a part of the deployment."""
    return {
        "name": naming.log_group(config, family, resource),
        "retention_in_days": RETENTION_DAYS,
        "kms_key_id": config.encryption_key,
        "tags": {"resource": resource},
    }
