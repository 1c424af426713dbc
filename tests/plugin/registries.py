"""Images and registries for the tests of the plugin: a base image in a layout folder, and a real registry."""

import gzip
import io
import json
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from alien_iac.plugin.oci.layout import Layout
from alien_iac.plugin.oci.model import OCI_INDEX, OCI_LAYER, OCI_MANIFEST, Manifest, digest_of

CONFIG = "application/vnd.oci.image.config.v1+json"
CRANE = "github.com/google/go-containerregistry/cmd/crane@v0.22.1"


def base_image(folder: Path, architectures: Sequence[str] = ("amd64", "arm64")) -> str:
    """An index with an image for each architecture, one file each, by its reference."""
    layout, entries = Layout(folder), []
    for architecture in architectures:
        image = _image(layout, architecture)
        entries.append(
            {
                "mediaType": image.media_type,
                "digest": image.digest,
                "size": len(image.content),
                "platform": {"os": "linux", "architecture": architecture},
            }
        )
    index = _manifest(OCI_INDEX, {"manifests": entries})
    layout.add_manifest(index, "base")
    return f"oci:{folder}@{index.digest}"


def _image(layout: Layout, architecture: str) -> Manifest:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        text = f"made for {architecture}\n".encode()
        info = tarfile.TarInfo("etc/machine")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    layer = gzip.compress(tar.getvalue(), mtime=0)
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Env": ["PATH=/bin", "LANG=C"], "Entrypoint": ["/bin/sh"], "User": "1000"},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(tar.getvalue())]},
        }
    ).encode()
    for content in (layer, config):
        layout.add_blob(digest_of(content), len(content), iter([content]))
    described = {
        "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": OCI_LAYER, "digest": digest_of(layer), "size": len(layer)}],
    }
    image = _manifest(OCI_MANIFEST, described)
    layout.add_manifest(image, architecture)
    return image


def _manifest(media_type: str, data: Mapping[str, object]) -> Manifest:
    return Manifest(media_type, json.dumps({"schemaVersion": 2, "mediaType": media_type, **data}).encode())


def registry_command(folder: Path, port: int) -> tuple[list[str], str] | None:
    """What starts a registry on a port, and its configuration as a file's text; None where this machine has none."""
    address = f"127.0.0.1:{port}"
    if distribution := shutil.which("docker-registry"):
        config = {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": str(folder)}, "delete": {"enabled": True}},
            "http": {"addr": address},
        }
        return [distribution, "serve", str(folder / "config.yml")], json.dumps(config)
    serve = ["registry", "serve", "--address", address]
    if crane := shutil.which("crane"):
        return [crane, *serve], ""
    if go := shutil.which("go"):
        return [go, "run", CRANE, *serve], ""
    return None


@contextmanager
def registry(folder: Path) -> Iterator[str | None]:
    """A real registry's host and port; None where this machine has none."""
    port = _free_port()
    found = registry_command(folder, port)
    if found is None:
        yield None
        return
    command, config = found
    (folder / "config.yml").write_text(config)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0) as process:
        try:
            _await(f"http://127.0.0.1:{port}/v2/", process)
            yield f"127.0.0.1:{port}"
        finally:
            subprocess.run(["kill", "-TERM", "--", f"-{process.pid}"], check=False, capture_output=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _await(url: str, process: "subprocess.Popen[bytes]", within_s: float = 90) -> None:
    end = time.monotonic() + within_s
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not serve: {process.poll()}")
