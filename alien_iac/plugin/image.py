"""`alien:index:Image`: an image in the customer's registry, copied by digest or assembled over a pinned base.

Its tag is made of its inputs, so what was begun twice is found, and what is deleted is that and nothing else.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

from alien_iac.errors import InvalidInput, NotFound
from alien_iac.plugin import identity as who
from alien_iac.plugin.kind import Call, Failure, Kind, Live
from alien_iac.plugin.oci import assemble, model
from alien_iac.plugin.oci.archive import Archive
from alien_iac.plugin.oci.layout import Layout
from alien_iac.plugin.oci.model import Manifest, Reference, Repository
from alien_iac.plugin.oci.registry import Registry
from alien_iac.protocol import code
from alien_iac.protocol.wire import Wire

_ARCHITECTURES: Mapping[str, str] = {"x86_64": "amd64", "arm64": "arm64"}
_HEX = 64


class ImageInputs(Wire):
    """Where the image comes from, and the repository that it goes to. `sha256` names the content of `source`."""

    source: str
    sha256: str
    repository: str
    base: str | None = None
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    command: list[str] | None = None
    env: dict[str, str] | None = None
    identity: dict[str, str] | None = None

    @property
    def tag(self) -> str:
        made = assemble.identity(self.sha256, self.base, self.architecture, self.command, self.env)
        return f"alien-{made}"


class ImageKind(Kind[ImageInputs]):
    """New content is a new image, and the old one is deleted when nothing uses it any more.

    Another base or command for the same content is another image too; the one before it stays for the rules of the
    repository, as does what a registry cannot delete.
    """

    token = code.IMAGE
    about = "An OCI image in a registry: a copy by digest, or an artifact's files over a base image."
    model = ImageInputs
    replaces = frozenset({"repository", "sha256"})
    in_folder = False
    computed = {"digest": "string", "reference": "string"}

    def check(self, inputs: ImageInputs, call: Call) -> Iterator[Failure]:
        del call
        if not model.is_repository(inputs.repository):
            yield Failure("repository", f"must be host/path without a tag, or oci:/folder, not {inputs.repository!r}")
        if len(inputs.sha256) != _HEX:
            yield Failure("sha256", "must be the 64 hex digits of the content; an image to copy is named by its digest")
        named = {"base": inputs.base} if inputs.base else {"source": inputs.source}
        for name, reference in named.items():
            try:
                model.parse(reference)
            except InvalidInput as error:
                yield Failure(name, str(error))

    def create(self, inputs: ImageInputs, call: Call) -> Live:
        del call
        with _opened(inputs.repository, inputs) as target:
            there = target.manifest(inputs.tag)
            return _live(inputs, there or (_assembled if inputs.base else _copied)(inputs, target))

    def read(self, identity: str, inputs: ImageInputs | None, call: Call) -> Live | None:
        del call
        if inputs is None:
            raise InvalidInput(f"{identity} cannot be imported", hint="let a stack program create it")
        with _opened(inputs.repository, inputs) as target:
            found = target.manifest(inputs.tag)
        return _live(inputs, found) if found else None

    def update(self, old: ImageInputs, new: ImageInputs, call: Call) -> Live:
        del old
        return self.create(new, call)

    def delete(self, inputs: ImageInputs, call: Call) -> None:
        del call
        with _opened(inputs.repository, inputs) as target:
            found = target.manifest(inputs.tag)
            if found:
                target.remove(found.digest, inputs.tag)


def _live(inputs: ImageInputs, found: Manifest) -> Live:
    outputs = {"digest": found.digest, "reference": f"{inputs.repository}@{found.digest}"}
    return Live(f"{inputs.repository}:{inputs.tag}", outputs)


def _copied(inputs: ImageInputs, target: Repository) -> Manifest:
    wanted = model.parse(inputs.source)
    with _opened(wanted.repository, inputs) as source:
        image = _chosen(source, wanted, inputs)
        _add_blobs(source, target, [image.data["config"], *image.data["layers"]])
    target.add_manifest(image, inputs.tag)
    return image


def _assembled(inputs: ImageInputs, target: Repository) -> Manifest:
    wanted, artifact = model.parse(inputs.base or ""), Path(inputs.source)
    if not artifact.is_file():
        raise NotFound(f"there is no artifact at {artifact}", hint="package it again")
    with _opened(wanted.repository, inputs) as source:
        base = _chosen(source, wanted, inputs)
        with source.blob(base.data["config"]["digest"]) as pieces:
            config = b"".join(pieces)
        made = assemble.assemble(
            base, config, assemble.layer(artifact), command=inputs.command or (), env=inputs.env or {}
        )
        _add_blobs(source, target, base.data["layers"])
    for content in (made.layer, made.config):
        digest = model.digest_of(content)
        if not target.has_blob(digest):
            target.add_blob(digest, len(content), iter([content]))
    target.add_manifest(made.manifest, inputs.tag)
    return made.manifest


def _chosen(source: Repository, wanted: Reference, inputs: ImageInputs) -> Manifest:
    """The image, or the one of an index that is for the architecture. Raises NotFound where there is none."""
    found = source.manifest(wanted.digest)
    if found is None:
        raise NotFound(f"there is no image {wanted}", hint="is its digest right, and does its registry still have it?")
    if found.media_type not in model.INDEXES:
        return found
    platform = {"os": "linux", "architecture": _ARCHITECTURES[inputs.architecture]}
    fits = (m["digest"] for m in found.data["manifests"] if platform.items() <= m.get("platform", {}).items())
    digest = next(fits, None)
    image = source.manifest(digest) if digest else None
    if image is None:
        raise NotFound(f"{wanted} has no image for linux and {inputs.architecture}", hint="choose another architecture")
    return image


def _add_blobs(source: Repository, target: Repository, blobs: list[Mapping[str, Any]]) -> None:
    for blob in blobs:
        if not target.has_blob(blob["digest"]):
            with source.blob(blob["digest"]) as pieces:
                target.add_blob(blob["digest"], blob["size"], pieces)


@contextmanager
def _opened(repository: str, inputs: ImageInputs) -> Iterator[Repository]:
    folder = model.layout_folder(repository)
    if folder is not None:
        yield Archive(folder) if folder.is_file() else Layout(folder)
        return
    with closing(Registry(repository, lambda host: who.registry_login(host, inputs.identity or {}))) as registry:
        yield registry
