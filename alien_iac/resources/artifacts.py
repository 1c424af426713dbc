"""The artifacts of a stack's workloads: those that the agent verified, or ones packaged here from their source."""

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

from alien_iac.checks import sizes
from alien_iac.checks.catalogue import finding
from alien_iac.errors import AlienError
from alien_iac.models.declared import Declared, Folder
from alien_iac.models.finding import Finding
from alien_iac.models.purpose import purpose
from alien_iac.resources.deployment import Deployment
from alien_iac.resources.surroundings import Packaged, Packager, look


@dataclass(frozen=True)
class Ready:
    """An artifact that the agent put in place."""

    path: Path
    sha256: str


def folders(program: Path, ready: Container[str], components: tuple[Declared, ...]) -> dict[str, Folder]:
    """What is at each source that has to be packaged here, for want of a ready artifact."""
    return {
        c.id: look(program, c.workload.source)
        for c in components
        if c.workload and c.workload.source is not None and c.id not in ready
    }


def gather(
    deployment: Deployment, components: tuple[Declared, ...], sources: Mapping[str, Folder], package: Packager
) -> tuple[dict[str, Packaged], list[Finding]]:
    """The artifact of every workload with a source, and what could not be packaged."""
    made: dict[str, Packaged] = {}
    problems: list[Finding] = []
    for component in components:
        try:
            found = _artifact(deployment, component, components, sources.get(component.id), package)
        except OSError as error:
            problems.append(finding("PACKAGING_FAILED", component.id, f"its artifact cannot be read: {error}"))
        except AlienError as error:
            problems.append(finding("PACKAGING_FAILED", component.id, error.message, error.hint or ""))
        else:
            if found is not None:
                made[component.id] = found
                problems.extend(sizes.check(deployment.platform, component.kind, component.id, found.path))
    return made, problems


def _artifact(
    deployment: Deployment,
    component: Declared,
    components: tuple[Declared, ...],
    folder: Folder | None,
    package: Packager,
) -> Packaged | None:
    ready = deployment.artifacts.get(component.id)
    if ready is not None:
        return Ready(ready, hashlib.sha256(ready.read_bytes()).hexdigest())
    if folder is None or not folder.has_main:
        return None
    return package(folder.path, purpose(deployment.platform, component, components), deployment.cache)
