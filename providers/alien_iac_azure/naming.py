"""Physical names, planned as plain strings within each service's limit and alphabet.

A part of a component is set off by `--`, which ids do not hold. Services that refuse two hyphens in a row, or any, get
a stable hash instead.
"""

import hashlib
from collections.abc import Mapping
from typing import Literal

from alien_iac.models.config import DeploymentConfig
from alien_iac.models.names import physical_name

Service = Literal[
    "account",
    "app",
    "container",
    "deployment",
    "environment",
    "function",
    "group",
    "identity",
    "job",
    "namespace",
    "network",
    "plan",
    "queue",
    "registry",
    "table",
    "topic",
    "vault",
    "workspace",
]
LIMITS: Mapping[Service, int] = {
    "account": 24,
    "app": 32,
    "container": 63,
    "deployment": 64,
    "environment": 60,
    "function": 60,
    "group": 90,
    "identity": 128,
    "job": 32,
    "namespace": 50,
    "network": 64,
    "plan": 60,
    "queue": 260,
    "registry": 50,
    "table": 63,
    "topic": 50,
    "vault": 24,
    "workspace": 63,
}
"""Characters that a service allows in a name."""
_NO_HYPHENS: frozenset[Service] = frozenset({"account", "registry", "table"})
_SINGLE_HYPHENS: frozenset[Service] = frozenset({"app", "container", "environment", "function", "job", "vault"})
_HASH = 8
SECRET = "value"  # noqa: S105 - a name
"""A vault holds one secret, of this name."""


def name(config: DeploymentConfig, service: Service, resource_id: str, part: str = "") -> str:
    """The physical name of a component's resource, or of a part of it (`host`, `events`)."""
    whole = f"{resource_id}--{part}" if part else resource_id
    limit = LIMITS[service]
    if service in _NO_HYPHENS:
        return physical_name(config.prefix, whole, limit=limit, separator="")
    if part and service in _SINGLE_HYPHENS:
        return _hashed(f"{config.prefix}-{whole}", limit)
    return physical_name(config.prefix, whole, limit=limit)


def shared_name(config: DeploymentConfig, service: Service, part: str) -> str:
    """The physical name of something that belongs to the whole deployment."""
    if service in _NO_HYPHENS or service in _SINGLE_HYPHENS:
        return name(config, service, "alien", part)
    return physical_name(config.prefix, f"-{part}", limit=LIMITS[service])


def tags(config: DeploymentConfig, resource_id: str | None = None) -> dict[str, str]:
    """The tags of everything that takes some."""
    own = {"resource": resource_id} if resource_id else {}
    return {**config.labels, "deployment": config.prefix, "managed-by": "alien-iac", **own}


def _hashed(whole: str, limit: int) -> str:
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_HASH]
    head = whole.replace("--", "-")[: limit - _HASH - 1].rstrip("-")
    return f"{head}-{digest}"
