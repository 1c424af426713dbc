"""The words of the OCI image format that are needed here, and the two places that keep images: one small Protocol."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from alien_iac.errors import InvalidInput, UpdateFailed

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFESTS = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX)
INDEXES = frozenset({OCI_INDEX, DOCKER_INDEX})
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
LAYOUT = "oci:"
"""Begins the reference of a layout, a folder or a tar file: `oci:/path@sha256:…`."""
_REPOSITORY = re.compile(r"(localhost|[^/@:]*[.:][^/@]*)/[a-z0-9]+([._/-]+[a-z0-9]+)*|oci:/.+")


@dataclass(frozen=True)
class Reference:
    """A repository (with its registry, or a layout folder) and an image in it, by digest."""

    repository: str
    digest: str

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index, as its bytes are: its digest is theirs."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    @property
    def data(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.content)
        return found


class Repository(Protocol):
    """Where one image's manifests and blobs are. All raise AlienError."""

    def manifest(self, reference: str) -> Manifest | None:
        """By tag or digest; None where there is none."""
        ...

    def has_blob(self, digest: str) -> bool: ...

    def blob(self, digest: str) -> AbstractContextManager[Iterator[bytes]]:
        """A blob in pieces."""
        ...

    def add_blob(self, digest: str, size: int, content: Iterator[bytes]) -> None: ...

    def add_manifest(self, manifest: Manifest, tag: str) -> None: ...

    def remove(self, digest: str, tag: str) -> None:
        """A manifest with its tag. What is gone is no error, nor is a registry that keeps manifests."""
        ...


def parse(text: str) -> Reference:
    """A reference by digest. Raises InvalidInput for any other."""
    repository, _, digest = text.partition("@")
    if not DIGEST.fullmatch(digest) or not is_repository(repository):
        message = f"{text!r} does not name an image by its digest"
        raise InvalidInput(message, hint="such as docker.io/library/python@sha256:…, or oci:/folder@sha256:…")
    return Reference(repository, digest)


def is_repository(text: str) -> bool:
    """Whether the text names a repository with its registry and no tag, or a layout folder."""
    return bool(_REPOSITORY.fullmatch(text))


def layout_folder(repository: str) -> Path | None:
    """The folder of a repository that is a layout."""
    return Path(repository.removeprefix(LAYOUT)) if repository.startswith(LAYOUT) else None


def digest_of(content: bytes) -> str:
    """What names these bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def verified(pieces: Iterator[bytes], digest: str) -> Iterator[bytes]:
    """The pieces, and UpdateFailed at their end where they are not those of the digest."""
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
        yield piece
    if f"sha256:{whole.hexdigest()}" != digest:
        raise UpdateFailed(f"a blob that should be {digest} is sha256:{whole.hexdigest()}", hint="try again")
