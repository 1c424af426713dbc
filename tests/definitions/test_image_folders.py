"""An image that is a folder is built where it goes to a registry, and from then on it is an image by its digest."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

import alien_iac as alien
from alien_iac.errors import Missing
from alien_iac.models.purpose import Purpose
from alien_iac.resources.surroundings import Packaged
from alien_iac.testing.recording import Artifact, Recording, config_for, record, surroundings

CLOUDS = ("aws", "gcp", "azure")
DIGEST = f"sha256:{'b' * 64}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "empty").mkdir()
    return tmp_path


def layout(path: Path, digest: str = DIGEST) -> Path:
    text = json.dumps({"manifests": [{"digest": digest}]}).encode()
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("index.json")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return path


def program() -> None:
    alien.Container("api", image="./api", port=8080, architecture=None)


def images(recording: Recording) -> list[object]:
    return [each.inputs["source"] for each in recording.resources if each.type == "alien:index:Image"]


def refused(recording: Recording) -> list[str]:
    return [each.code for each in recording.findings if each.severity == "error"]


@pytest.mark.parametrize("platform", CLOUDS)
def test_the_image_is_built_and_copied_by_its_digest(folder: Path, platform: str) -> None:
    asked: list[Purpose] = []

    def packager(source: Path, purpose: Purpose, _: Path) -> Packaged:
        assert source == folder / "api"
        asked.append(purpose)
        return Artifact(layout(folder / "made.tar"), "c" * 64)

    recording = record(program, surroundings(folder, config_for(platform), packager=packager))
    assert recording.error is None
    assert images(recording) == [f"oci:{folder}/made.tar@{DIGEST}"]
    assert [(each.kind, each.image, each.architecture) for each in asked] == [("Container", True, None)]


@pytest.mark.parametrize("platform", CLOUDS)
def test_an_agent_takes_the_image_of_the_release(folder: Path, platform: str) -> None:
    made = layout(folder / hashlib.sha256(b"blob").hexdigest())
    environ = {"ALIEN_ARTIFACTS": json.dumps({"api": str(made)})}
    (folder / "api" / "Dockerfile").unlink()
    recording = record(program, surroundings(folder, config_for(platform), environ=environ))
    assert recording.error is None
    assert images(recording) == [f"oci:{made}@{DIGEST}"]


def test_a_release_that_holds_something_else_is_a_finding(folder: Path) -> None:
    with tarfile.open(folder / "other.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("hello"))
    environ = {"ALIEN_ARTIFACTS": json.dumps({"api": str(folder / "other.tar")})}
    recording = record(program, surroundings(folder, config_for("gcp"), environ=environ))
    assert refused(recording) == ["PACKAGING_FAILED"]
    assert any("not a layout of one image" in each.message for each in recording.findings)


def test_a_machine_that_builds_no_images_is_told_before_anything_is_made(folder: Path) -> None:
    def packager(*_: object) -> Packaged:
        raise Missing("neither docker (with buildx) nor podman is on PATH", hint="install one of them")

    recording = record(program, surroundings(folder, config_for("aws"), packager=packager))
    assert refused(recording) == ["PACKAGING_FAILED"]
    assert not [each for each in recording.resources if each.custom]


@pytest.mark.parametrize(
    ("image", "code"), [("./empty", "IMAGE_NO_DOCKERFILE"), ("./none", "SOURCE_MISSING"), ("../x", "SOURCE_MISSING")]
)
def test_a_folder_without_a_dockerfile_is_refused(folder: Path, image: str, code: str) -> None:
    recording = record(lambda: alien.Function("f", image=image), surroundings(folder, config_for("azure")))
    assert refused(recording) == [code]


def test_local_builds_no_images(folder: Path) -> None:
    recording = record(program, surroundings(folder, config_for("local"), docker=True))
    assert refused(recording) == ["UNSUPPORTED"]
    assert recording.findings[0].hint == "give it a source, or an image by its name"
