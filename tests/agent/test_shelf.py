"""A release laid out on the disk: what of it counts, and what only the agent says."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from agent.agent_control import URL
from agent.agent_releases import config
from agent.agent_vendor import PROGRAM, Vendor

from alien_iac.agent import shelf, trust
from alien_iac.agent.place import Identity, Place, write
from alien_iac.agent.release import Release
from alien_iac.errors import Untrusted, UpdateFailed
from alien_iac.protocol.manifest import Blob

IDENTITY = Identity(
    control_plane=URL, deployment_id="dep_1", customer="acme", platform="local", prefix="acme-123456", port=4711
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def fetched(place: Place, vendor: Vendor, manifest: str) -> Release:
    """A release with all its bytes in the folder."""
    write(place.tuf / "first-root.json", vendor.first_root)
    with trust.Repository(place, URL, "good", vendor.transport()) as repository:
        repository.refresh()
        release = repository.release(manifest, None)
        for blob in release.manifest.blobs:
            repository.blob(blob)
    return release


def laid(place: Place, release: Release) -> shelf.Laid:
    return shelf.lay_out(place, release, "local", lambda blob: trust.cached(place, blob))


def wheel(folder: Path, name: str = "tinylib") -> bytes:
    path = folder / "wheel.zip"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "ANSWER = 42\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path.read_bytes()


def test_wheels_are_installed_once_and_the_program_finds_them(place: Place, tmp_path: Path) -> None:
    vendor = Vendor()
    blob = vendor.add("blobs/x/tinylib-1.0-py3-none-any.whl", wheel(tmp_path))
    release = fetched(place, vendor, vendor.release("1.0", 1, wheels=(blob,)))
    first = laid(place, release)
    assert first.wheels
    made = first.wheels.stat().st_ino
    assert laid(place, release).wheels == first.wheels
    assert first.wheels.stat().st_ino == made
    environment = shelf.program_environment(IDENTITY, first)
    asked = [sys.executable, "-c", "import tinylib; print(tinylib.ANSWER)"]
    assert subprocess.check_output(asked, env=environment, text=True, timeout=30).strip() == "42"


@pytest.mark.parametrize("name", ["blobs/x/evil.tar.gz", "blobs/x/.whl"])
def test_what_is_no_wheel_is_refused(place: Place, name: str) -> None:
    vendor = Vendor()
    release = fetched(place, vendor, vendor.release("1.0", 1, wheels=(vendor.add(name, b"x"),)))
    with pytest.raises(Untrusted, match="is no wheel"):
        laid(place, release)


def test_a_broken_wheel_says_so_and_leaves_nothing(place: Place) -> None:
    vendor = Vendor()
    blob = vendor.add("blobs/x/tinylib-1.0-py3-none-any.whl", b"no zip")
    release = fetched(place, vendor, vendor.release("1.0", 1, wheels=(blob,)))
    with pytest.raises(UpdateFailed, match="wheels could not be installed"):
        laid(place, release)
    assert not list(place.releases.glob("wheels-*"))
    assert not list(place.releases.glob(".making-*"))


@pytest.mark.parametrize(
    "files",
    [
        {"Pulumi.yaml": "name: tiny\n"},
        {**PROGRAM, "Pulumi.yaml": "name: tiny\nmain: ../elsewhere\n"},
        {**PROGRAM, "../out.py": ""},
    ],
)
def test_a_bundle_that_is_none_is_refused(place: Place, files: dict[str, str]) -> None:
    vendor = Vendor()
    release = fetched(place, vendor, vendor.release("1.0", 1, files))
    with pytest.raises(Untrusted):
        laid(place, release)
    assert not (place.root / "out.py").exists()


def test_a_bundle_cannot_name_a_plugin_a_backend_or_the_agents_own_config(place: Place, tmp_path: Path) -> None:
    vendor = Vendor()
    evil = (
        "name: tiny\nruntime: python\nbackend: {url: https://evil}\nplugins: {providers: [{name: alien, path: evil}]}\n"
    )
    release = fetched(place, vendor, vendor.release("1.0", 1, {**PROGRAM, "Pulumi.yaml": evil}))
    values: dict[str, Any] = {
        "alien:localDir": "/etc",
        "alien:prefix": "x",
        "alien:telemetryEndpoint": "https://elsewhere.example",
        "agent:updates": "auto",
        "tiny:greeting": "moin",
    }
    signed = config(1).model_copy(update={"values": values})
    shelf.write_stack(place, IDENTITY, laid(place, release.model_copy(update={"config": signed})), tmp_path / "plugin")
    settings = yaml.safe_load((place.stack / "Pulumi.yaml").read_text())
    assert "evil" not in str(settings)
    assert settings["plugins"]["providers"] == [{"name": "alien", "path": str(tmp_path / "plugin")}]
    written = yaml.safe_load((place.stack / "Pulumi.acme.yaml").read_text())["config"]
    assert written == {
        "tiny:greeting": "moin",
        "alien:platform": "local",
        "alien:prefix": "acme-123456",
        "alien:customer": "acme",
        "alien:agentUrl": "http://127.0.0.1:4711",
        "alien:telemetryEndpoint": "http://127.0.0.1:4711",
        "alien:localDir": str(place.data),
    }


def test_only_the_releases_that_may_run_again_are_kept(place: Place, tmp_path: Path) -> None:
    vendor = Vendor()
    blob = vendor.add("blobs/x/tinylib-1.0-py3-none-any.whl", wheel(tmp_path))
    first = fetched(place, vendor, vendor.release("1.0", 1, wheels=(blob,)))
    second = fetched(place, vendor, vendor.release("2.0", 2, {**PROGRAM, "new.py": ""}))
    gone, stays = laid(place, first), laid(place, second)
    shelf.prune(place, [second])
    assert gone.wheels
    assert not gone.wheels.exists()
    assert not gone.program.exists()
    assert stays.program.is_dir()
    kept: Blob = second.manifest.program_bundle
    assert {path.name for path in (place.releases / "blobs").iterdir()} == {kept.sha256}
