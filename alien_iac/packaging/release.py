"""From a stack program to a release: its bytes, its manifest, and the list of files that the vendor signs."""

import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from alien_iac.checks import sizes
from alien_iac.errors import InvalidInput, StackInvalid, Unsupported
from alien_iac.models.platform import Platform
from alien_iac.packaging import artifacts, bundle, commands, source
from alien_iac.packaging.archive import Artifact
from alien_iac.packaging.program import Described, Workload, describe
from alien_iac.protocol.manifest import Blob, DeclaredCommand, Manifest, SignedConfig

DEFAULT = ("local",)
"""What is built for while nothing is deployed anywhere."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to release."""

    project: Path
    """The folder of Pulumi.yaml."""
    vendor: str
    version: str
    sequence: int
    platforms: tuple[str, ...] = DEFAULT
    minimum_sequence: int = 1
    config: Mapping[str, Any] = field(default_factory=dict)
    """Config that the program asks for while its workloads are learnt; no part of the release."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """A release that is ready to be signed."""

    manifest: Manifest
    blob: Blob
    """The manifest's own."""
    content: bytes
    """The manifest's bytes."""
    files: Mapping[str, Path]
    """SHA-256 to the file, of every blob but the manifest."""
    notes: tuple[str, ...] = ()
    """Warnings and notes of the checks."""

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Everything that the vendor signs for."""
        return (self.blob, *self.manifest.blobs)


def build(order: Order, cache: Path) -> Built:
    """Check the program, package it and its workloads, and write the manifest. The same order gives the same bytes.

    StackInvalid with all findings; InvalidInput for what cannot be packaged; Unsupported for a platform.
    """
    _check(order)
    folder = bundle.program_folder(order.project)
    described = {platform: describe(folder, platform, order.config) for platform in order.platforms}
    workloads = _same(described)
    program = bundle.bundle(order.project, cache)
    made = {platform: _artifacts(workloads, Platform(platform), cache) for platform in order.platforms}
    wheels = bundle.wheels(order.project, cache)
    manifest = Manifest(
        vendor=order.vendor,
        program=bundle.program_name(order.project),
        version=order.version,
        sequence=order.sequence,
        platforms=order.platforms,
        program_bundle=_blob("program.zip", program),
        artifacts=_blobs(made.get(Platform.LOCAL, {})),
        platform_artifacts={key: _blobs(of_one) for key, of_one in made.items() if key != Platform.LOCAL},
        wheels=tuple(_blob(name, artifact) for name, artifact in wheels),
        commands=tuple(_commands(workloads, cache)),
        pulumi_version=_version("pulumi"),
        sdk_versions={"python": f"{sys.version_info.major}.{sys.version_info.minor}"},
        min_agent=_version("alien-iac"),
        minimum_sequence=order.minimum_sequence,
    )
    every = (artifact for of_one in made.values() for artifact in of_one.values())
    notes = tuple(dict.fromkeys(str(finding) for each in described.values() for finding in each.findings))
    return _built(manifest, (program, *every, *(artifact for _, artifact in wheels)), notes)


def signed_config(config: SignedConfig) -> tuple[Blob, bytes]:
    """A deployment's config as a file to sign, and its bytes."""
    content = config.model_dump_json(by_alias=True).encode()
    path = f"deployments/{config.deployment_id}/config-{config.serial}.json"
    return _of_bytes(path, content), content


def _built(manifest: Manifest, made: Iterable[Artifact], notes: tuple[str, ...]) -> Built:
    content = manifest.model_dump_json(by_alias=True).encode()
    path = f"releases/{manifest.program}/{manifest.version}/manifest.json"
    return Built(
        manifest=manifest,
        blob=_of_bytes(path, content),
        content=content,
        files={each.sha256: each.path for each in made},
        notes=notes,
    )


def _check(order: Order) -> None:
    unknown = [platform for platform in order.platforms if platform not in set(Platform)]
    if unknown:
        raise Unsupported(f"there is no platform {', '.join(unknown)}", hint=f"one of {', '.join(Platform)}")
    if not order.version or "/" in order.version or order.version.startswith("."):
        raise InvalidInput(f'"{order.version}" cannot be a version', hint='such as "1.2.0"; no slash')


def _same(described: Mapping[str, Described]) -> Sequence[Workload]:
    """The workloads, which must be the same on every platform."""
    first, *others = described.items()
    platform, found = first
    for other, there in others:
        if there.workloads != found.workloads:
            raise InvalidInput(
                f"the stack program has other workloads on {other} than on {platform}",
                hint="a stack program does not look at its platform",
            )
    return found.workloads


def _artifacts(workloads: Iterable[Workload], platform: Platform, cache: Path) -> Mapping[str, Artifact]:
    """Workload id to its artifact for a platform. StackInvalid where a cloud does not take one of them."""
    found = {}
    for each in workloads:
        folder = each.source or each.image
        if folder is not None and (each.source is not None or platform is not Platform.LOCAL):
            found[each.id] = artifacts.make(folder, each.purpose(platform), cache)
    kinds = {each.id: each.kind for each in workloads}
    told = [one for key, made in found.items() for one in sizes.check(platform, kinds[key], key, made.path)]
    if any(finding.severity == "error" for finding in told):
        raise StackInvalid(told)
    return found


def _commands(workloads: Iterable[Workload], cache: Path) -> Iterable[DeclaredCommand]:
    """Read from artifacts for this machine, since only those can be loaded here."""
    for each in workloads:
        if each.commands and each.source is not None:
            artifact = source.package(each.source, source.Target(), cache)
            yield from commands.declared(artifact, each.id, each.environment)


def _blobs(artifacts: Mapping[str, Artifact]) -> dict[str, Blob]:
    return {key: _blob(f"{key}{artifact.path.suffix}", artifact) for key, artifact in artifacts.items()}


def _blob(name: str, artifact: Artifact) -> Blob:
    return Blob(path=f"blobs/{artifact.sha256}/{name}", sha256=artifact.sha256, length=artifact.length)


def _of_bytes(path: str, content: bytes) -> Blob:
    return Blob(path=path, sha256=hashlib.sha256(content).hexdigest(), length=len(content))


def _version(name: str) -> str:
    return metadata.version(name)
