"""Releases on this machine: verified bytes become a program's folder, its wheels, and the stack's work folder.

Everything under `releases/` is named after the hash of what it was made of, so that it is made once and never changed.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uv
import yaml

from alien_iac import projects
from alien_iac.agent import say
from alien_iac.agent.place import Identity, Place
from alien_iac.agent.release import Release
from alien_iac.errors import Untrusted, UpdateFailed
from alien_iac.packaging.unpack import unpack
from alien_iac.protocol.manifest import Blob

Fetch = Callable[[Blob], Path]
"""Verified bytes of a blob, as a file."""
INSTALL_S = 300
_OURS = frozenset(
    f"alien:{key}"
    for key in (
        "platform",
        "prefix",
        "customer",
        "deploymentId",
        "agentUrl",
        "telemetryEndpoint",
        "telemetryToken",
        "localDir",
    )
)
"""Config keys that the agent sets itself; a signed config cannot."""


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A release laid out on this machine."""

    release: Release
    program: Path
    """The folder of the stack program (with its `__main__.py`)."""
    wheels: Path | None
    artifacts: Mapping[str, Path]
    """Workload id to the verified artifact."""


def lay_out(place: Place, release: Release, platform: str, fetch: Fetch) -> Laid:
    """Fetch all bytes of a release for a platform and unpack its program. Blocking.

    Raises Untrusted where bytes are not those that were signed, Unavailable where they cannot be had now.
    """
    manifest = release.manifest
    artifacts = {workload: fetch(blob) for workload, blob in manifest.artifacts_on(platform).items()}
    bundle = _once(
        place.releases / manifest.program_bundle.sha256, lambda to: unpack(fetch(manifest.program_bundle), to)
    )
    wheels = [(Path(blob.path).name, fetch(blob)) for blob in manifest.wheels]
    return Laid(
        release=release,
        program=_main(bundle),
        wheels=_install(place, wheels, [blob.sha256 for blob in manifest.wheels]) if wheels else None,
        artifacts=artifacts,
    )


def _main(bundle: Path) -> Path:
    """The program's folder in a bundle: where its `Pulumi.yaml` points, inside the bundle."""
    told = bundle / "Pulumi.yaml"
    settings = (yaml.safe_load(told.read_text(encoding="utf-8")) if told.is_file() else None) or {}
    main = (bundle / str(settings.get("main") or ".")).resolve()
    if not main.is_relative_to(bundle.resolve()) or not (main / "__main__.py").is_file():
        raise Untrusted(f"the bundle has no stack program at {settings.get('main') or '.'}", hint="ask the vendor")
    return main


def _install(place: Place, wheels: list[tuple[str, Path]], hashes: Iterable[str]) -> Path:
    """Install wheels, offline and without looking for more, once for each set of contents."""
    return _once(place.releases / _wheels_folder(hashes), lambda to: _install_into(to, wheels))


def _wheels_folder(hashes: Iterable[str]) -> str:
    return "wheels-" + hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def _install_into(folder: Path, wheels: list[tuple[str, Path]]) -> None:
    with tempfile.TemporaryDirectory() as named:
        files = [shutil.copyfile(path, Path(named) / _wheel_name(name)) for name, path in wheels]
        offline = ["--offline", "--no-index", "--no-deps", "--no-config", "--python", sys.executable]
        command = [uv.find_uv_bin(), "pip", "install", "--quiet", *offline, "--target", str(folder), *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode:
        raise UpdateFailed(f"the release's wheels could not be installed: {done.stderr.strip()[-500:]}")


def _wheel_name(name: str) -> str:
    """A wheel's file name. TUF names targets by hash and name; a name is a name, not a path."""
    if not name.endswith(".whl") or "/" in name or name.startswith("."):
        raise Untrusted(f'"{name}" is no wheel', hint="ask the vendor")
    return name


def _once(folder: Path, make: Callable[[Path], object]) -> Path:
    """A folder made whole or not at all: beside its place first, then moved there."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    spare = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".making-"))
    try:
        make(spare)
        spare.rename(folder)
    except BaseException:
        shutil.rmtree(spare, ignore_errors=True)
        raise
    return folder


def write_stack(place: Place, identity: Identity, laid: Laid, plugin: Path) -> None:
    """Write the work folder: our own `Pulumi.yaml` (of the bundle's nothing counts but the program) and the config.

    Where the plugin is stands in the agent's file, so that a bundle cannot name a program to run with credentials.
    """
    settings = {
        "name": laid.release.manifest.program,
        "runtime": "python",
        "main": str(laid.program),
        "backend": {"url": place.backend.as_uri()},
        "plugins": {"providers": [{"name": "alien", "path": str(plugin)}]},
    }
    place.backend.mkdir(parents=True, exist_ok=True, mode=0o700)
    projects.write_project(place.stack / "Pulumi.yaml", settings)
    projects.write_config(place.stack / f"Pulumi.{identity.customer}.yaml", config(place, identity, laid.release))


def config(place: Place, identity: Identity, release: Release) -> dict[str, Any]:
    """The config of the Pulumi stack: what the vendor signed, under what only the agent knows."""
    signed = release.config.values if release.config else {}
    theirs = {k: v for k, v in signed.items() if k not in _OURS and not k.startswith(say.PREFIX)}
    return {
        **theirs,
        "alien:platform": identity.platform,
        "alien:prefix": identity.prefix,
        "alien:customer": identity.customer,
        "alien:agentUrl": f"http://127.0.0.1:{identity.port}",
        "alien:telemetryEndpoint": f"http://127.0.0.1:{identity.port}",
        **({"alien:localDir": str(place.data)} if identity.platform == "local" else {}),
    }


def program_environment(identity: Identity, laid: Laid) -> dict[str, str]:
    """What the program's child is told beside the config: which release this is, and where its artifacts are."""
    given = {
        "ALIEN_RELEASE": laid.release.version,
        "ALIEN_DEPLOYMENT_ID": identity.deployment_id,
        "ALIEN_ARTIFACTS": json.dumps({workload: str(path) for workload, path in laid.artifacts.items()}),
    }
    return {**given, **({"PYTHONPATH": str(laid.wheels)} if laid.wheels else {})}


def prune(place: Place, kept: Iterable[Release]) -> None:
    """Remove the bytes and folders of releases that the agent can no longer need."""
    manifests = [release.manifest for release in kept]
    blobs = {blob.sha256 for m in manifests for blob in m.blobs}
    folders = {_wheels_folder(blob.sha256 for blob in m.wheels) for m in manifests}
    for path in place.releases.iterdir():
        if path.name not in blobs | folders | {"blobs"}:
            shutil.rmtree(path)
    for path in (place.releases / "blobs").iterdir():
        if path.name not in blobs:
            path.unlink()
