"""A vendor with real keys: signs releases in TUF's form, and plays the control plane that serves them."""

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # exported, but not by its __all__
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from alien_iac.protocol.manifest import Blob, Manifest, SignedConfig

ROLES = ("root", "targets", "snapshot", "timestamp")
PROGRAM = {"Pulumi.yaml": "name: tiny\nruntime: python\n", "__main__.py": "print('hello')\n"}


def zipped(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


class Vendor:
    """Signs, and keeps what it signed as the control plane would serve it: URL path to bytes."""

    def __init__(self) -> None:
        self.keys = {role: CryptoSigner.generate_ed25519() for role in ROLES}
        self.served: dict[str, bytes] = {}
        self.life = timedelta(days=1)
        self._root = Root(version=1, expires=_in(timedelta(days=365)), consistent_snapshot=True)
        for role, key in self.keys.items():
            self._root.add_key(key.public_key, role)
        self._targets = Targets(version=1, expires=_in(timedelta(days=365)))
        self._snapshot = Snapshot(version=1, expires=_in(timedelta(days=365)))
        self._timestamp = Timestamp(version=1, expires=_in(self.life))
        self.first_root = self._sign(self._root, "root")
        self.served["metadata/1.root.json"] = self.first_root

    def release(self, version: str, sequence: int, files: Mapping[str, str] = PROGRAM, **more: Any) -> str:
        """Sign a release; returns its manifest's target path."""
        bundle = self.add(f"bundles/{version}.zip", zipped(files))
        facts = {"vendor": "initech", "program": "tiny", "platforms": ("local",), "version": version}
        manifest = Manifest.model_validate({**facts, "sequence": sequence, "program_bundle": bundle, **more})
        path = f"releases/{version}/manifest.json"
        self.add(path, json.dumps(manifest.dump()).encode())
        self.publish()
        return path

    def config(self, deployment_id: str, serial: int, values: Mapping[str, Any]) -> str:
        """Sign a deployment's config; returns its target path."""
        signed = SignedConfig(
            deployment_id=deployment_id, serial=serial, customer="acme", values=dict(values), salt="s"
        )
        path = f"deployments/{deployment_id}/config-{serial}.json"
        self.add(path, json.dumps(signed.dump()).encode())
        self.publish()
        return path

    def add(self, path: str, content: bytes) -> Blob:
        """Make bytes a target; `publish` signs them."""
        digest = hashlib.sha256(content).hexdigest()
        self._targets.targets[path] = TargetFile(len(content), {"sha256": digest}, path)
        folder, slash, name = path.rpartition("/")
        self.served[f"targets/{folder}{slash}{digest}.{name}"] = content
        return Blob(path=path, sha256=digest, length=len(content))

    def publish(self) -> None:
        """Sign new targets, a new snapshot and a new timestamp."""
        self._targets.version += 1
        self.served[f"metadata/{self._targets.version}.targets.json"] = self._sign(self._targets, "targets")
        self._snapshot.version += 1
        self._snapshot.meta["targets.json"] = MetaFile(version=self._targets.version)
        self.served[f"metadata/{self._snapshot.version}.snapshot.json"] = self._sign(self._snapshot, "snapshot")
        self.stamp()

    def stamp(self) -> None:
        self._timestamp.version += 1
        self._timestamp.expires = _in(self.life)
        self._timestamp.snapshot_meta = MetaFile(version=self._snapshot.version)
        self.served["metadata/timestamp.json"] = self._sign(self._timestamp, "timestamp")

    def rotate_root(self) -> None:
        """A new targets key, in a new root that the old root's key signs."""
        self._root.revoke_key(self.keys["targets"].public_key.keyid, "targets")
        self.keys["targets"] = CryptoSigner.generate_ed25519()
        self._root.add_key(self.keys["targets"].public_key, "targets")
        self._root.version += 1
        self.served[f"metadata/{self._root.version}.root.json"] = self._sign(self._root, "root")
        self.publish()

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the control plane answers under `/v1/tuf/`."""
        path = request.url.path.partition("/v1/tuf/")[2]
        if request.headers.get("authorization") != "Bearer good":
            return httpx.Response(401)
        return httpx.Response(200, content=self.served[path]) if path in self.served else httpx.Response(404)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def root_text(self) -> str:
        return base64.b64encode(self.first_root).decode()

    def _sign(self, payload: Any, role: str) -> bytes:
        metadata = Metadata(payload)
        metadata.sign(self.keys[role])
        return metadata.to_bytes()


def _in(life: timedelta) -> datetime:
    return (datetime.now(UTC) + life).replace(microsecond=0)
