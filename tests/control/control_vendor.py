"""A vendor in tests: root and targets keys, and what it signs with them."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined] # not in its __all__
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

Json = Any
"""What JSON reads as, and what goes into its objects."""
LIFE = timedelta(days=365)


@dataclass
class Vendor:
    """Keys, and the targets as signed so far."""

    online: dict[str, dict[str, Json]]
    root_key: CryptoSigner = field(default_factory=CryptoSigner.generate_ed25519)
    targets_key: CryptoSigner = field(default_factory=CryptoSigner.generate_ed25519)
    files: dict[str, bytes] = field(default_factory=dict)
    version: int = 0

    def root(self, version: int = 1, signers: tuple[CryptoSigner, ...] = (), **more: Json) -> str:
        """A root in base64, signed by its own key and `signers`."""
        root = Root(version=version, expires=datetime.now(UTC) + LIFE, consistent_snapshot=True, **more)
        root.add_key(self.root_key.public_key, "root")
        root.add_key(self.targets_key.public_key, "targets")
        for role, key in self.online.items():
            plain = dict(key)
            root.add_key(SSlibKey.from_dict(plain.pop("keyid"), plain), role)
        return self._signed(Metadata(root), self.root_key, *signers)

    def put(self, path: str, content: bytes) -> dict[str, Json]:
        """Name a file in the targets to come; the file as a manifest names it."""
        self.files[path] = content
        return {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "length": len(content)}

    def targets(self, *, version: int | None = None, expires: datetime | None = None) -> str:
        """Targets in base64 that name every file, signed."""
        self.version = self.version + 1 if version is None else version
        targets = Targets(version=self.version, expires=expires or datetime.now(UTC) + LIFE)
        for path, content in self.files.items():
            targets.targets[path] = TargetFile.from_data(path, content, ["sha256"])
        return self._signed(Metadata(targets), self.targets_key)

    def manifest(self, version: str, sequence: int, **more: Json) -> str:
        """A release's files and manifest among the targets; the manifest's path."""
        bundle = self.put(f"releases/{version}/program.zip", f"program {version}".encode())
        manifest = {
            "vendor": "acme-soft",
            "program": "demo",
            "version": version,
            "sequence": sequence,
            "platforms": ["local"],
            "programBundle": bundle,
            **more,
        }
        path = f"releases/{version}/manifest.json"
        self.put(path, json.dumps(manifest).encode())
        return path

    def blobs(self) -> dict[str, bytes]:
        return {hashlib.sha256(content).hexdigest(): content for content in self.files.values()}

    @staticmethod
    def _signed(metadata: Metadata[Json], *signers: CryptoSigner) -> str:
        for signer in signers:
            metadata.sign(signer, append=True)
        return base64.b64encode(metadata.to_bytes()).decode()
