"""Physical names, planned as plain strings within each service's limit; a part of a component is set off by `--`.

Ids hold no `--`, so that the dead letters of the queue `jobs` (`jobs--dead`) never meet a component's own name.
"""

from collections.abc import Mapping
from typing import Literal

from alien_iac.models.config import DeploymentConfig
from alien_iac.models.names import physical_name

Service = Literal[
    "bucket",
    "file_system",
    "function",
    "key_value_table",
    "load_balancer",
    "log_group",
    "queue",
    "repository",
    "role",
    "rule",
    "schedule",
    "secret",
    "service",
    "security_group",
    "template",
]
LIMITS: Mapping[Service, int] = {
    "bucket": 63,
    "file_system": 64,
    "function": 64,
    "key_value_table": 255,
    "load_balancer": 32,
    "log_group": 480,  # 512 with the path in front
    "queue": 80,
    "repository": 256,
    "role": 64,
    "rule": 64,
    "schedule": 64,
    "secret": 512,
    "service": 255,
    "security_group": 255,
    "template": 128,
}
"""Characters that a service allows in a name."""


def name(config: DeploymentConfig, service: Service, resource_id: str, part: str = "") -> str:
    """The physical name of a component's resource, or of a part of it (`failed`, `dead`)."""
    whole = f"{resource_id}--{part}" if part else resource_id
    return physical_name(config.prefix, whole, limit=LIMITS[service])


def shared_name(config: DeploymentConfig, service: Service, part: str) -> str:
    """The physical name of something that belongs to the whole deployment: `<prefix>--<part>`."""
    return physical_name(config.prefix, f"-{part}", limit=LIMITS[service])


def log_group(config: DeploymentConfig, family: Literal["apigateway", "ecs", "lambda", "vpc"], resource_id: str) -> str:
    """The name of a log group; `lambda` is where Lambda itself looks for one."""
    return f"/aws/{family}/{name(config, 'log_group', resource_id)}"


def role_path(config: DeploymentConfig) -> str:
    """The path of all IAM roles of the deployment, by which a customer may bound who touches them."""
    return f"/alien/{config.prefix}/"


def namespace(config: DeploymentConfig) -> str:
    """The private DNS namespace in which workloads find each other."""
    return f"{config.prefix}.internal"


def tags(config: DeploymentConfig) -> dict[str, str]:
    """The tags of everything; a component's resources also have `resource`."""
    return {**config.labels, "deployment": config.prefix, "managed-by": "alien-iac"}
