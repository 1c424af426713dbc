"""What a release says of itself: the signed manifest of a stack program and its artifacts."""

from typing import Any

from pydantic import Field

from alien_iac.protocol.wire import Open


class DeclaredCommand(Open):
    """A command that a workload of the release answers. `parameters` is a JSON schema."""

    name: str
    resource: str
    parameters: dict[str, Any] = {}
    description: str = ""


class Blob(Open):
    """Bytes by their content: the TUF target's path, the hex SHA-256, and the length in bytes."""

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    length: int = Field(ge=0)


class Manifest(Open):
    """One release. `sequence` grows by one with each release of a program; agents refuse to go below theirs."""

    vendor: str
    program: str
    """The Pulumi project's name."""
    version: str
    sequence: int = Field(ge=1)
    platforms: tuple[str, ...]
    program_bundle: Blob
    """Zip of the stack program's folder, without any `Pulumi.*.yaml`."""
    artifacts: dict[str, Blob] = {}
    """Workload id to the packaged source that it runs on `local`."""
    platform_artifacts: dict[str, dict[str, Blob]] = {}
    """Every other platform of the release to the same there."""
    wheels: tuple[Blob, ...] = ()
    """Wheels that the stack program needs beside those of the agent."""
    commands: tuple[DeclaredCommand, ...] = ()
    required_permissions: dict[str, list[str]] = {}
    """Platform to what the deploying identity must be allowed."""
    pulumi_version: str = ""
    sdk_versions: dict[str, str] = {}
    min_agent: str = "0.1.0"
    minimum_sequence: int = Field(default=1, ge=1)
    """Agents leave every release below this one (raised by a recall)."""
    returns_to: tuple[int, ...] = ()
    """Sequences below an agent's own that this signed statement allows it to go back to."""

    def artifacts_on(self, platform: str) -> dict[str, Blob]:
        """Workload id to the packaged source that it runs on a platform."""
        return self.platform_artifacts.get(platform, self.artifacts)

    def blobs_on(self, platform: str) -> tuple[Blob, ...]:
        """All files that an agent on this platform needs."""
        return (self.program_bundle, *self.artifacts_on(platform).values(), *self.wheels)

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """All files of the release, each once."""
        others = (blob for of_one in self.platform_artifacts.values() for blob in of_one.values())
        every = (self.program_bundle, *self.artifacts.values(), *others, *self.wheels)
        return tuple({blob.path: blob for blob in every}.values())


class SignedConfig(Open):
    """A deployment's config as the vendor signed it. `serial` grows by one with each change. It holds no secret."""

    deployment_id: str
    serial: int = Field(ge=1)
    customer: str
    values: dict[str, Any]
    salt: str
    """Random, so that nobody finds a short config from its hash."""
