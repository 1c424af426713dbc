"""Physical names, planned as plain strings within each service's limit; a part of a component is set off by `--`.

Ids hold no `--`, so that the dead letters of the queue `jobs` (`jobs--dead`) never meet a component's own name.
"""

import re
from collections.abc import Mapping
from typing import Literal

from alien_iac.models.arguments import WorkloadArguments
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.names import physical_name

Service = Literal[
    "account",
    "bucket",
    "compute",
    "database",
    "job",
    "machine",
    "repository",
    "run",
    "secret",
    "tag",
    "template",
    "topic",
    "zone",
]
LIMITS: Mapping[Service, int] = {
    "account": 30,
    "bucket": 63,
    "compute": 63,
    "database": 63,
    "job": 500,
    "machine": 58,
    "repository": 63,
    "run": 49,  # with the project's number it is one label of a host name
    "secret": 255,
    "tag": 63,
    "template": 36,  # 26 characters and a hyphen are Pulumi's
    "topic": 255,
    "zone": 63,
}
"""Characters that a service allows in a name."""
LEAST: Mapping[Service, int] = {"account": 6}
"""Characters that a service wants in a name, where a short prefix and a short id have fewer."""
_FILLED = "--own"
_LABEL_KEY, _LABEL_VALUE = re.compile(r"[a-z][a-z0-9_-]{0,62}"), re.compile(r"[a-z0-9_-]{0,63}")


def name(config: DeploymentConfig, service: Service, resource_id: str, part: str = "") -> str:
    """The physical name of a component's resource, or of a part of it (`dead`, `triggers`)."""
    whole = f"{resource_id}--{part}" if part else resource_id
    found = physical_name(config.prefix, whole, limit=LIMITS[service])
    return found if len(found) >= LEAST.get(service, 0) else f"{found}{_FILLED}"


def shared_name(config: DeploymentConfig, service: Service, part: str) -> str:
    """The physical name of something that belongs to the whole deployment: `<prefix>--<part>`."""
    return physical_name(config.prefix, f"-{part}", limit=LIMITS[service])


def internal_domain(config: DeploymentConfig) -> str:
    """The private domain in which machines find each other."""
    return f"{config.prefix}.internal"


def public_host(arguments: WorkloadArguments, config: DeploymentConfig) -> str | None:
    """The public name of a workload with a `domain`; None where it needs `alien:domain` and there is none."""
    if arguments.domain is None or "." in arguments.domain:
        return arguments.domain
    return f"{arguments.domain}.{config.domain}" if config.domain else None


def is_label(key: str, value: str) -> bool:
    """Whether Google Cloud takes this label."""
    return bool(_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value))


def labels(config: DeploymentConfig) -> dict[str, str]:
    """The labels of everything; a component's resources also have `resource`."""
    theirs = {key: value for key, value in config.labels.items() if is_label(key, value)}
    return {**theirs, "deployment": config.prefix, "managed-by": "alien-iac"}
