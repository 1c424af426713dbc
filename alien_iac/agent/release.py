"""A release as the agent has verified it: the signed manifest, the deployment's signed config, and their hashes."""

from alien_iac.protocol.manifest import Manifest, SignedConfig
from alien_iac.protocol.wire import Open


class Release(Open):
    """One verified release. Two are the same when `digest` is; they do the same when `fingerprint` is."""

    path: str
    """The manifest's TUF target path."""
    digest: str
    """Hex SHA-256 of the manifest's bytes."""
    manifest: Manifest
    config: SignedConfig | None = None

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def sequence(self) -> int:
        return self.manifest.sequence

    @property
    def fingerprint(self) -> tuple[str, int]:
        """What decides whether an update would change anything: the manifest and the config's serial."""
        return self.digest, self.config.serial if self.config else 0
