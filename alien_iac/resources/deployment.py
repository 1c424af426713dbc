"""The deployment that a stack program runs for, read once from Pulumi's config and the environment, and passed down."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alien_iac.errors import ConfigInvalid
from alien_iac.models.config import DeploymentConfig
from alien_iac.models.platform import Platform
from alien_iac.protocol import environment
from alien_iac.resources.surroundings import Surroundings

ARTIFACTS = "ALIEN_ARTIFACTS"
"""Environment variable of a stack program: JSON of workload id to the path of its verified artifact."""
UNRELEASED = "unreleased"
DATA = ".alien"
"""The folder in the project's that local use writes to."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One stack program on one platform for one customer."""

    config: DeploymentConfig
    id: str
    release: str
    program: Path
    root: Path
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    """Workload id to an artifact that is ready; a workload that is not in it is packaged from its source."""
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All config, for a platform that reads Pulumi's own keys such as `aws:region`."""

    @property
    def platform(self) -> Platform:
        return self.config.platform

    @property
    def local_dir(self) -> Path:
        """Where `local` keeps its data, absolute."""
        given = self.config.local_dir or f"{DATA}/{self.config.prefix}"
        return (self.root / Path(given).expanduser()).resolve()

    @property
    def cache(self) -> Path:
        """Where artifacts that were packaged here are kept by their content."""
        return self.root / DATA / "artifacts"


def deployment(config: DeploymentConfig, around: Surroundings) -> Deployment:
    """The deployment with this config. The agent names release, deployment and artifacts in the environment."""
    return Deployment(
        config=config,
        id=around.environ.get(environment.DEPLOYMENT_ID) or config.deployment_id or f"{around.project}/{around.stack}",
        release=around.environ.get(environment.RELEASE) or UNRELEASED,
        program=around.program,
        root=around.root,
        artifacts=_artifacts(around.environ.get(ARTIFACTS) or "{}"),
        settings=around.config,
    )


def _artifacts(text: str) -> dict[str, Path]:
    try:
        return {str(workload): Path(path) for workload, path in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError) as error:
        message = f"{ARTIFACTS} in the stack program's environment is not a JSON object of paths"
        raise ConfigInvalid(message, hint="leave it unset, and sources are packaged here") from error
