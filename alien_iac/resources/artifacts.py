"""The artifacts of a stack's workloads: those that the agent verified, or ones made here from their folders."""

import hashlib
import json
import tarfile
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alien_iac.checks import sizes
from alien_iac.checks.catalogue import finding
from alien_iac.errors import AlienError, InvalidInput
from alien_iac.models.declared import Declared, Folder
from alien_iac.models.finding import Finding
from alien_iac.models.purpose import purpose
from alien_iac.resources.deployment import Deployment
from alien_iac.resources.surroundings import Packaged, Packager, look

_NONE = f"oci:/none@sha256:{'0' * 64}"
"""Stands for an image that could not be built, which is a finding of its own."""


@dataclass(frozen=True)
class Ready:
    """An artifact that the agent put in place."""

    path: Path
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Folders:
    """What is at the places that workloads name, for want of a ready artifact."""

    sources: Mapping[str, Folder] = field(default_factory=dict)
    images: Mapping[str, Folder] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What was made, and what could not be."""

    sources: Mapping[str, Packaged] = field(default_factory=dict)
    """Workload id to its packaged source."""
    images: Mapping[str, str] = field(default_factory=dict)
    """Workload id to the reference of the image that was built for it, in a file of this machine."""
    problems: tuple[Finding, ...] = ()


def folders(program: Path, ready: Container[str], components: tuple[Declared, ...]) -> Folders:
    """What is at each source and each folder of an image that has no ready artifact."""
    waiting = [(c.id, c.workload) for c in components if c.workload and c.id not in ready]
    return Folders(
        sources={key: look(program, workload.source) for key, workload in waiting if workload.source is not None},
        images={
            key: look(program, workload.image_folder)
            for key, workload in waiting
            if workload.image_folder is not None and workload.source is None
        },
    )


def gather(
    deployment: Deployment, components: tuple[Declared, ...], there: Folders, package: Packager, *, images: bool
) -> Gathered:
    """The artifact of every workload that has one. `images`: whether images are built here at all."""
    sources: dict[str, Packaged] = {}
    built: dict[str, str] = {}
    problems: list[Finding] = []
    for component in components:
        is_image = component.workload is not None and component.workload.image_folder is not None
        if is_image and not images:
            continue
        try:
            found = _artifact(deployment, component, components, there, package)
            if is_image:
                built[component.id] = _reference(found) if found else _NONE
            elif found is not None:
                sources[component.id] = found
                problems.extend(sizes.check(deployment.platform, component.kind, component.id, found.path))
        except OSError as error:
            problems.append(finding("PACKAGING_FAILED", component.id, f"its artifact cannot be read: {error}"))
        except AlienError as error:
            problems.append(finding("PACKAGING_FAILED", component.id, error.message, error.hint or ""))
            if is_image:
                built[component.id] = _NONE
    return Gathered(sources=sources, images=built, problems=tuple(problems))


def _artifact(
    deployment: Deployment, component: Declared, components: tuple[Declared, ...], there: Folders, package: Packager
) -> Packaged | None:
    ready = deployment.artifacts.get(component.id)
    if ready is not None:
        with ready.open("rb") as file:
            return Ready(ready, hashlib.file_digest(file, "sha256").hexdigest())
    source, image = there.sources.get(component.id), there.images.get(component.id)
    folder = source if source and source.has_main else image if image and image.has_dockerfile else None
    if folder is None:
        return None
    return package(folder.path, purpose(deployment.platform, component, components), deployment.cache)


def _reference(made: Packaged) -> str:
    """The image in a file that holds a layout; where packaging is only rehearsed, there is none to look into."""
    if not made.path.is_file() or not tarfile.is_tarfile(made.path):
        return f"oci:{made.path}@sha256:{made.sha256}"
    try:
        with tarfile.open(made.path) as layout:
            index = layout.extractfile("index.json")
            [image] = json.load(index)["manifests"] if index else []
        return f"oci:{made.path}@{image['digest']}"
    except (KeyError, ValueError, tarfile.TarError) as error:
        raise InvalidInput(f"{made.path} is not a layout of one image: {error}") from error
