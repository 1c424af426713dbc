"""A folder with a Dockerfile becomes an image in one file, built by what the machine has, without the folder's secrets.

The builder of most tests stands in for docker: a program of that name, which writes the files that it was given.
"""

import json
import os
import shutil
import stat
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from alien_iac.errors import Missing, UpdateFailed
from alien_iac.models.platform import Platform
from alien_iac.models.purpose import Purpose
from alien_iac.packaging import artifacts, images
from alien_iac.plugin.oci.archive import Archive

DOCKER = """#!{python}
import io, json, os, sys, tarfile
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "version" or sys.argv[2] == "version":
    sys.exit(0)
if os.path.exists("broken"):
    sys.exit("step 3/4: no such package")
out = next(word for word in sys.argv if word.startswith("type=oci")).split("dest=")[1].split(",")[0]
found = sorted(os.path.relpath(os.path.join(d, f)) for d, _, files in os.walk(".") for f in files)
with tarfile.open(out, "w") as tar:
    for name, text in dict({{"index.json": json.dumps({{"manifests": [{{"digest": "sha256:" + "a" * 64}}]}}),
                            "blobs/sha256/" + "a" * 64: json.dumps({{"files": found}})}}).items():
        info = tarfile.TarInfo(name)
        info.size, info.mtime = len(text), 12345 + os.getpid()
        tar.addfile(info, io.BytesIO(text.encode()))
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with such a docker and nothing else; what it was asked for."""
    place, asked = tmp_path / "bin", tmp_path / "asked"
    place.mkdir()
    docker = place / "docker"
    docker.write_text(DOCKER.format(python=sys.executable, log=str(asked)))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(place))
    return asked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "api"
    made.mkdir()
    (made / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (made / "hello.txt").write_text("hello\n")
    (made / ".env").write_text("TOKEN=1")
    return made


def index(path: Path) -> Any:
    with tarfile.open(path) as layout:
        found = layout.extractfile("index.json")
        assert found is not None
        return json.load(found)


def test_an_image_is_one_file_that_is_named_by_its_content(folder: Path, tmp_path: Path, log: Path) -> None:
    made = images.build(folder, "arm64", tmp_path / "cache")
    assert made.path.name == f"{made.sha256}.tar"
    assert "buildx build --platform linux/arm64 --provenance=false --sbom=false" in log.read_text()
    found = Archive(made.path).manifest("sha256:" + "a" * 64)
    assert found is not None
    assert found.data["files"] == ["Dockerfile", "hello.txt"]
    with tarfile.open(made.path) as layout:
        assert {(member.mtime, member.uid) for member in layout} == {(0, 0)}


def test_the_same_files_are_built_once_for_each_architecture(folder: Path, tmp_path: Path, log: Path) -> None:
    first = images.build(folder, "arm64", tmp_path / "cache")
    assert images.build(folder, "arm64", tmp_path / "cache") == first
    images.build(folder, "x86_64", tmp_path / "cache")
    (folder / "hello.txt").write_text("other\n")
    images.build(folder, "arm64", tmp_path / "cache")
    built = [line for line in log.read_text().splitlines() if line.startswith("buildx build")]
    assert [line.split()[3] for line in built] == ["linux/arm64", "linux/amd64", "linux/arm64"]


def test_a_build_that_fails_says_what_the_builder_said(folder: Path, tmp_path: Path, log: Path) -> None:
    (folder / "broken").write_text("")
    with pytest.raises(UpdateFailed, match=r"(?s)docker could not build the image:.*no such package"):
        images.build(folder, "x86_64", tmp_path / "cache")
    assert log.is_file()
    assert not list((tmp_path / "cache" / "artifacts").iterdir())


def test_where_nothing_builds_images_that_is_said_with_the_ways_out(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="neither docker") as caught:
        artifacts.make(folder, Purpose(platform=Platform.GCP, kind="Container", image=True), tmp_path / "cache")
    assert "by its digest" in (caught.value.hint or "")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("podman") is None, reason="podman is not on PATH")
def test_podman_builds_the_same_image_twice(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "bin"
    place.mkdir()
    script = place / "podman"
    script.write_text(f'#!/bin/sh\nPATH={os.environ["PATH"]} exec podman "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(place))
    first = images.build(folder, "arm64", tmp_path / "cache-1")
    second = images.build(folder, "arm64", tmp_path / "cache-2")
    assert first.sha256 == second.sha256
    [told] = index(first.path)["manifests"]
    image = Archive(first.path).manifest(told["digest"])
    assert image is not None
    with Archive(first.path).blob(image.data["config"]["digest"]) as pieces:
        config = json.loads(b"".join(pieces))
    assert (config["architecture"], config["os"]) == ("arm64", "linux")
