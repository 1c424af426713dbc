"""An image layout in one tar file, as builders write it: read, and never written to."""

import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from alien_iac.errors import InvalidInput
from alien_iac.plugin.oci.model import OCI_INDEX, OCI_MANIFEST, Manifest, verified

_PIECE = 1 << 20


@dataclass(frozen=True)
class Archive:
    """One file. Its images go by their digests alone."""

    file: Path

    def manifest(self, reference: str) -> Manifest | None:
        """A manifest that says nothing of its type is told by what it holds."""
        with self._opened(reference) as found:
            content = found.read() if found else None
        if content is None:
            return None
        told = json.loads(content)
        kind = OCI_INDEX if "manifests" in told else OCI_MANIFEST
        return Manifest(told.get("mediaType", kind), content)

    def has_blob(self, digest: str) -> bool:
        with self._opened(digest) as found:
            return found is not None

    @contextmanager
    def blob(self, digest: str) -> Iterator[Iterator[bytes]]:
        with self._opened(digest) as found:
            if found is None:
                raise InvalidInput(f"{self.file} has no blob {digest}", hint="build the image again")
            yield verified(iter(lambda: found.read(_PIECE), b""), digest)

    def add_blob(self, digest: str, size: int, content: Iterator[bytes]) -> None:
        del digest, size, content
        raise self._read_only()

    def add_manifest(self, manifest: Manifest, tag: str) -> None:
        del manifest, tag
        raise self._read_only()

    def remove(self, digest: str, tag: str) -> None:
        del digest, tag
        raise self._read_only()

    def _read_only(self) -> InvalidInput:
        return InvalidInput(f"{self.file} is a file, and images are copied to a folder or a registry")

    @contextmanager
    def _opened(self, digest: str) -> Iterator[IO[bytes] | None]:
        name = f"blobs/{digest.replace(':', '/')}"
        with tarfile.open(self.file) as layout:
            yield layout.extractfile(name) if name in layout.getnames() else None
