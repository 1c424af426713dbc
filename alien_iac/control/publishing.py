"""A release or other signed targets come in: all is checked, then written in one transaction, or nothing is."""

import base64
from dataclasses import dataclass, replace

from pydantic import ValidationError

from alien_iac.control import failures, trust
from alien_iac.control.blobs import Folder
from alien_iac.control.store import releases
from alien_iac.control.store.engine import Transaction
from alien_iac.control.trust import OnlineKeys, Repository
from alien_iac.errors import Conflict, InvalidInput, Untrusted
from alien_iac.protocol.api import PublishRelease, Release
from alien_iac.protocol.manifest import Manifest
from alien_iac.protocol.tuf import Metadata, Targets

_SHOWN = 10


def decode(text: str, name: str) -> bytes:
    """Bytes that came as base64. InvalidInput for anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii's, or what is no ASCII at all
        raise InvalidInput(f"{name} is not base64") from error


@dataclass(frozen=True)
class Publisher:
    """Takes signed metadata. Untrusted, Conflict or InvalidInput, and nothing written, where something is not right."""

    blobs: Folder
    keys: OnlineKeys

    def root(self, transaction: Transaction, body: bytes) -> int:
        """Take a first root or the next one; its version. The targets that are published must hold under it, too."""
        before = releases.repository(transaction)
        if before is not None and before.root == body:
            return trust.version_of(body)
        root = trust.accept_root(body, before.root if before else None, self.keys, transaction.now)
        after = replace(before, root=body) if before else Repository(root=body)
        if after.targets is not None:
            trust.accept_targets(after.targets, body, None, transaction.now)
        releases.write_metadata(transaction, trust.sign(after, self.keys, transaction.now))
        return root.signed.version

    def targets(self, transaction: Transaction, body: bytes, root: bytes | None = None) -> Metadata[Targets]:
        """Take newer targets, all of whose files are here; with them, a next root."""
        before = releases.repository(transaction)
        if before is not None and before.targets == body:
            return trust.read(Targets, body)
        if root is not None and (before is None or before.root != root):
            trust.accept_root(root, before.root if before else None, self.keys, transaction.now)
            before = replace(before, root=root) if before else Repository(root=root)
        if before is None:
            raise Conflict("this control plane has no root of trust yet", hint="send rootMetadata too")
        new = trust.accept_targets(body, before.root, before.targets, transaction.now)
        self._keep_files(transaction, new)
        signed = trust.sign(replace(before, targets=body), self.keys, transaction.now)
        releases.write_metadata(transaction, signed)
        return new

    def release(self, transaction: Transaction, body: PublishRelease) -> Release:
        """Take a release; the same request again is answered again."""
        hashed = releases.hash_of(body.manifest, body.targets_metadata, body.root_metadata)
        known = releases.published(transaction, body.manifest, hashed)
        if known is not None:
            return known
        root = decode(body.root_metadata, "rootMetadata") if body.root_metadata else None
        targets = self.targets(transaction, decode(body.targets_metadata, "targetsMetadata"), root)
        manifest = self._manifest(targets, body.manifest)
        releases.add(transaction, manifest, body.manifest, hashed)
        return releases.get(transaction, manifest.version)

    def _keep_files(self, transaction: Transaction, targets: Metadata[Targets]) -> None:
        files = [(path, trust.sha256_of(target), target.length) for path, target in targets.signed.targets.items()]
        missing = [path for path, sha256, length in files if self.blobs.size(sha256) != length]
        if missing:
            shown = ", ".join(missing[:_SHOWN]) + (
                f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            )
            raise InvalidInput(
                f"{len(missing)} signed file(s) are not here: {shown}", hint="PUT each to /v1/blobs/<sha256> first"
            )
        releases.write_targets(transaction, files, targets.signed.version)

    def _manifest(self, targets: Metadata[Targets], path: str) -> Manifest:
        content = self.blobs.read(trust.sha256_of(trust.file_of(targets, path)))
        try:
            manifest = Manifest.model_validate_json(content)
        except ValidationError as error:
            raise Untrusted(f'"{path}" is not a manifest: {failures.describe(error.errors())}') from error
        for blob in manifest.blobs:
            found = trust.file_of(targets, blob.path)
            if (trust.sha256_of(found), found.length) != (blob.sha256, blob.length):
                raise Untrusted(f'the manifest and the signed targets do not mean the same "{blob.path}"')
        return manifest
