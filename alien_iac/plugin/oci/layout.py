"""A folder in the OCI image layout, as `skopeo` and `crane` read and write it (`oci:/folder`)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from alien_iac.plugin.oci.model import OCI_INDEX, Manifest, verified

_NAME = "org.opencontainers.image.ref.name"
_PIECE = 1 << 20


@dataclass(frozen=True)
class Layout:
    """One folder. Writers lock it."""

    folder: Path

    def manifest(self, reference: str) -> Manifest | None:
        known = self._index()["manifests"]
        named = [m for m in known if reference in {m["digest"], m.get("annotations", {}).get(_NAME)}]
        digest = named[0]["digest"] if named else reference
        if not self._blob(digest).is_file():
            return None
        content = self._blob(digest).read_bytes()
        return Manifest(json.loads(content).get("mediaType", OCI_INDEX), content)

    def has_blob(self, digest: str) -> bool:
        return self._blob(digest).is_file()

    @contextmanager
    def blob(self, digest: str) -> Iterator[Iterator[bytes]]:
        with self._blob(digest).open("rb") as file:
            yield iter(lambda: file.read(_PIECE), b"")

    def add_blob(self, digest: str, size: int, content: Iterator[bytes]) -> None:
        del size
        path = self._blob(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        with FileLock(draft.with_suffix(".lock")):
            with draft.open("wb") as file:
                for piece in verified(content, digest):
                    file.write(piece)
            draft.replace(path)
        draft.with_suffix(".lock").unlink(missing_ok=True)

    def add_manifest(self, manifest: Manifest, tag: str) -> None:
        self.add_blob(manifest.digest, len(manifest.content), iter([manifest.content]))
        entry = {
            "mediaType": manifest.media_type,
            "digest": manifest.digest,
            "size": len(manifest.content),
            "annotations": {_NAME: tag},
        }
        with self._locked() as index:
            others = [m for m in index["manifests"] if m.get("annotations", {}).get(_NAME) != tag]
            index["manifests"] = [*others, entry]

    def remove(self, digest: str, tag: str) -> None:
        """The manifest; its blobs stay, since others may have them too."""
        del tag  # an entry of the index has both
        with self._locked() as index:
            index["manifests"] = [m for m in index["manifests"] if m["digest"] != digest]
        self._blob(digest).unlink(missing_ok=True)

    def _blob(self, digest: str) -> Path:
        return self.folder / "blobs" / digest.replace(":", "/")

    def _index(self) -> dict[str, Any]:
        file = self.folder / "index.json"
        empty = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else empty

    @contextmanager
    def _locked(self) -> Iterator[dict[str, Any]]:
        """The index, written back when the block ends."""
        with FileLock(self.folder / ".lock"):
            index = self._index()
            yield index
            draft = self.folder / ".index.json"
            draft.write_text(json.dumps(index), encoding="utf-8")
            draft.replace(self.folder / "index.json")
            (self.folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
