"""An image made of a base image and one layer more; pure, and the same bytes whoever makes it and whenever."""

import gzip
import hashlib
import io
import json
import stat
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from alien_iac.errors import InvalidInput
from alien_iac.plugin.oci.model import DOCKER_LAYER, DOCKER_MANIFEST, OCI_LAYER, Manifest, digest_of
from alien_iac.protocol.code import APP, AZURE_INSTALLED, INSTALLED

_EPOCH = "1970-01-01T00:00:00Z"
_LEVEL = 6
_PATH = "/usr/local/bin:/usr/bin:/bin"
"""Where a base that names none has its commands."""
_FOLDER, _FILE, _PROGRAM = 0o755, 0o644, 0o755


@dataclass(frozen=True)
class Layer:
    """A compressed tar, and the digest of what it is uncompressed."""

    content: bytes
    diff_id: str
    installed: str | None = None
    """Where in the image the artifact's requirements are."""


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """What has to be added to a repository that has the base's layers."""

    manifest: Manifest
    config: bytes
    layer: bytes


def layer(artifact: Path) -> Layer:
    """The files of an artifact below `/app`, owned by root and readable by all."""
    plain = io.BytesIO()
    with zipfile.ZipFile(artifact) as archive, tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        files = sorted((i for i in archive.infolist() if not i.is_dir()), key=lambda info: info.filename)
        for folder in _folders([info.filename for info in files]):
            tar.addfile(_entry(f"{APP[1:]}/{folder}".rstrip("/."), _FOLDER, kind=tarfile.DIRTYPE))
        for info in files:
            program = (info.external_attr >> 16) & stat.S_IXUSR
            entry = _entry(f"{APP[1:]}/{info.filename}", _PROGRAM if program else _FILE, size=info.file_size)
            with archive.open(info) as file:
                tar.addfile(entry, file)
    raw = plain.getvalue()
    return Layer(gzip.compress(raw, _LEVEL, mtime=0), digest_of(raw), _installed([info.filename for info in files]))


def _installed(names: Sequence[str]) -> str | None:
    places = (place for place in (INSTALLED, AZURE_INSTALLED) if any(name.startswith(f"{place}/") for name in names))
    return next((f"{APP}/{place}" for place in places), None)


def assemble(
    base: Manifest, config: bytes, more: Layer, *, command: Sequence[str], env: Mapping[str, str]
) -> Assembled:
    """The image with the layer on top. Raises InvalidInput where the base is not an image."""
    data = dict(base.data)
    if "layers" not in data or "config" not in data:
        raise InvalidInput(f"{base.digest} is not an image: its manifest has no layers", hint="name another base")
    docker = base.media_type == DOCKER_MANIFEST
    settings = _config(json.loads(config), more, command, env)
    media = DOCKER_LAYER if docker else OCI_LAYER
    data["layers"] = [*data["layers"], _descriptor(media, more.content)]
    data["config"] = _descriptor(data["config"]["mediaType"], settings)
    data.pop("annotations", None)  # they speak of the base
    content = json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
    return Assembled(manifest=Manifest(base.media_type, content), config=settings, layer=more.content)


def _config(base: dict[str, Any], more: Layer, command: Sequence[str], env: Mapping[str, str]) -> bytes:
    start = dict(base.get("config") or {})
    before = dict(pair.split("=", 1) for pair in start.get("Env") or [])
    set_here = {**_found(before, more), **env}
    kept = {name: value for name, value in before.items() if name not in set_here}
    pairs = [*kept.items(), *sorted(set_here.items())]
    start |= {"Env": [f"{name}={value}" for name, value in pairs], "WorkingDir": APP}
    if command:
        start |= {"Cmd": list(command), "Entrypoint": None}
    rootfs = base.get("rootfs") or {"type": "layers", "diff_ids": []}
    made = {
        **base,
        "created": _EPOCH,
        "config": start,
        "rootfs": {**rootfs, "diff_ids": [*rootfs["diff_ids"], more.diff_id]},
        "history": [*(base.get("history") or []), {"created": _EPOCH, "created_by": "alien-iac"}],
    }
    return json.dumps(made, sort_keys=True, separators=(",", ":")).encode()


def _found(before: Mapping[str, str], more: Layer) -> dict[str, str]:
    """What makes the requirements, and the commands among them, be found."""
    if more.installed is None:
        return {}
    return {"PYTHONPATH": more.installed, "PATH": f"{more.installed}/bin:{before.get('PATH', _PATH)}"}


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _folders(names: Sequence[str]) -> list[str]:
    """The folders of these files, each before what is in it; `.` is the first."""
    return sorted({str(parent) for name in names for parent in PurePosixPath(name).parents} | {"."})


def _entry(name: str, mode: int, *, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.mtime = kind, mode, size, 0
    return info


def identity(*parts: object) -> str:
    """A short name for what an image is made of, before it is made."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
