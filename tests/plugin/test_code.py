"""Bytes in a customer's store and images in a customer's registry, through the real plugin."""

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from plugin.plugin_engine import Engine, plain
from plugin.registries import base_image, registry

from alien_iac.plugin.oci.assemble import layer
from alien_iac.plugin.oci.layout import Layout
from alien_iac.plugin.oci.model import Repository
from alien_iac.plugin.oci.registry import Registry
from alien_iac.protocol.code import ARTIFACT, IMAGE

FILES = {"main.py": "print('hello')", ".python/lib/__init__.py": "", "run.sh": "#!/bin/sh"}


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    return written(tmp_path / "code.zip", FILES)


@pytest.fixture
def base(tmp_path: Path) -> str:
    return base_image(tmp_path / "base")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry")) as found:
        if found is None:
            pytest.skip("no registry: docker-registry, crane and go are not on PATH")
        yield found


@pytest.fixture(params=["layout", pytest.param("registry", marks=pytest.mark.slow)])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "layout":
        return f"oci:{tmp_path}/customer"
    return f"{request.getfixturevalue('host')}/acme/{tmp_path.name.lower().replace('_', '-').strip('-')}"


def written(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o100755 if name.endswith(".sh") else 0o100600) << 16
            archive.writestr(info, text)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def opened(repository: str) -> Iterator[Repository]:
    if repository.startswith("oci:"):
        yield Layout(Path(repository.removeprefix("oci:")))
        return
    with closing(Registry(repository, lambda _: None)) as found:
        yield found


def image(repository: str, digest: str) -> tuple[dict[str, Any], list[bytes]]:
    """An image's config and its layers."""
    with opened(repository) as place:
        manifest = place.manifest(digest)
        assert manifest is not None
        config = json.loads(blob(place, manifest.data["config"]["digest"]))
        return config, [blob(place, each["digest"]) for each in manifest.data["layers"]]


def blob(place: Repository, digest: str) -> bytes:
    with place.blob(digest) as pieces:
        return b"".join(pieces)


def inputs_of(artifact: Path, base: str, repository: str, **more: Any) -> dict[str, Any]:
    told = {"source": str(artifact), "sha256": sha256(artifact), "base": base, "repository": repository}
    return {**told, "command": ["python", "/app/main.py"], "env": {"LANG": "C.UTF-8"}, **more}


def test_an_image_is_the_base_and_one_layer_of_the_artifacts_files(
    engine: Engine, artifact: Path, base: str, repository: str
) -> None:
    _, outputs = engine.create(IMAGE, inputs_of(artifact, base, repository, architecture="arm64"))
    assert outputs["reference"] == f"{repository}@{outputs['digest']}"
    config, (below, ours) = image(repository, outputs["digest"])
    assert config["architecture"] == "arm64"
    environment = ["LANG=C.UTF-8", "PATH=/app/.python/bin:/bin", "PYTHONPATH=/app/.python"]
    started = {"Cmd": ["python", "/app/main.py"], "Entrypoint": None, "WorkingDir": "/app", "User": "1000"}
    assert config["config"] == {**started, "Env": environment}
    with tarfile.open(fileobj=io.BytesIO(below)) as tar:
        assert tar.getnames() == ["etc/machine"]
    with tarfile.open(fileobj=io.BytesIO(ours)) as tar:
        modes = {member.name: oct(member.mode) for member in tar if member.isfile()}
    assert modes == {"app/main.py": "0o644", "app/.python/lib/__init__.py": "0o644", "app/run.sh": "0o755"}
    assert len(config["rootfs"]["diff_ids"]) == 2


def test_an_image_finds_the_requirements_of_an_artifact_for_azures_functions(
    engine: Engine, base: str, tmp_path: Path
) -> None:
    made = written(tmp_path / "f.zip", {"main.py": "", ".python_packages/lib/site-packages/tiny.py": ""})
    repository = f"oci:{tmp_path}/customer"
    _, outputs = engine.create(IMAGE, inputs_of(made, base, repository))
    config, _ = image(repository, outputs["digest"])
    assert "PYTHONPATH=/app/.python_packages/lib/site-packages" in config["config"]["Env"]


def test_an_image_is_copied_for_one_architecture(engine: Engine, base: str, repository: str) -> None:
    content = base.rpartition("sha256:")[2]
    told = {"source": base, "sha256": content, "repository": repository}
    _, outputs = engine.create(IMAGE, told)
    config, layers = image(repository, outputs["digest"])
    assert config["architecture"] == "amd64"
    assert len(layers) == 1


def test_an_image_in_a_file_is_copied_like_one_in_a_folder(
    engine: Engine, base: str, repository: str, tmp_path: Path
) -> None:
    layout, _, digest = base.removeprefix("oci:").partition("@")
    with tarfile.open(tmp_path / "image.tar", "w") as archive:
        for part in Path(layout).iterdir():
            archive.add(part, arcname=part.name)
    told = {"sha256": digest.removeprefix("sha256:"), "repository": repository, "architecture": "arm64"}
    _, outputs = engine.create(IMAGE, {**told, "source": f"oci:{tmp_path}/image.tar@{digest}"})
    config, [layer_below] = image(repository, outputs["digest"])
    assert config["architecture"] == "arm64"
    with tarfile.open(fileobj=io.BytesIO(layer_below)) as tar:
        assert tar.getnames() == ["etc/machine"]


def test_an_image_is_not_written_into_a_file(engine: Engine, base: str, artifact: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "image.tar", "w"):
        pass
    with pytest.raises(grpc.RpcError, match="images are copied to a folder or a registry"):
        engine.create(IMAGE, inputs_of(artifact, base, f"oci:{tmp_path}/image.tar"))


def test_what_was_begun_is_found_and_what_is_gone_is_gone(
    engine: Engine, artifact: Path, base: str, repository: str
) -> None:
    inputs = inputs_of(artifact, base, repository)
    identity, first = engine.create(IMAGE, inputs)
    assert engine.create(IMAGE, inputs) == (identity, first)
    assert plain(engine.read(IMAGE, identity, inputs).properties)["digest"] == first["digest"]
    engine.delete(IMAGE, inputs)
    assert not engine.read(IMAGE, identity, inputs).id
    engine.delete(IMAGE, inputs)


def test_new_content_is_a_new_image_and_another_base_an_update(engine: Engine, artifact: Path, base: str) -> None:
    inputs = inputs_of(artifact, base, "oci:/somewhere")
    other = {**inputs, "sha256": "0" * 64}
    assert list(engine.diff(IMAGE, inputs, other).replaces) == ["sha256"]
    moved = engine.diff(IMAGE, inputs, {**inputs, "base": base.replace("base@", "mirror@"), "source": "/elsewhere"})
    assert set(moved.diffs) == {"base", "source"}
    assert not moved.replaces


def test_a_layer_is_the_same_bytes_in_whatever_order_its_files_came(tmp_path: Path) -> None:
    backwards = dict(reversed(FILES.items()))
    one, other = written(tmp_path / "a.zip", FILES), written(tmp_path / "b.zip", backwards)
    assert sha256(one) != sha256(other)
    assert layer(one) == layer(other)


def test_inputs_of_an_image_that_are_wrong(engine: Engine) -> None:
    wrong = {"source": "redis:7", "sha256": "", "repository": "registry.example/app:latest", "architecture": "riscv"}
    assert set(engine.failures(IMAGE, wrong)) == {"architecture"}
    assert set(engine.failures(IMAGE, {**wrong, "architecture": "arm64"})) == {"source", "sha256", "repository"}


def test_an_image_that_is_not_there(engine: Engine, base: str, tmp_path: Path) -> None:
    nowhere = base[:-4] + "0000"
    told = {"source": nowhere, "sha256": nowhere.rpartition("sha256:")[2], "repository": f"oci:{tmp_path}/to"}
    with pytest.raises(grpc.RpcError, match="there is no image oci:"):
        engine.create(IMAGE, told)


def test_a_registry_that_does_not_answer(engine: Engine, base: str) -> None:
    told = {"source": base, "sha256": base.rpartition("sha256:")[2], "repository": "127.0.0.1:1/acme/app"}
    with pytest.raises(grpc.RpcError, match=r"the registry 127\.0\.0\.1:1 does not answer"):
        engine.create(IMAGE, told)


def test_an_artifact_is_written_read_and_deleted(engine: Engine, artifact: Path, tmp_path: Path) -> None:
    url = f"file://{tmp_path}/store/api/code.zip"
    inputs = {"path": str(artifact), "sha256": sha256(artifact), "url": url}
    identity, outputs = engine.create(ARTIFACT, inputs)
    stored = tmp_path / "store" / "api" / "code.zip"
    assert (identity, outputs["size"]) == (url, stored.stat().st_size)
    assert stored.read_bytes() == artifact.read_bytes()
    assert plain(engine.read(ARTIFACT, url, inputs).inputs) == inputs
    stored.write_bytes(b"something else")
    assert plain(engine.read(ARTIFACT, url, inputs).inputs)["sha256"] == ""
    engine.update(ARTIFACT, inputs, inputs)
    assert stored.read_bytes() == artifact.read_bytes()
    engine.delete(ARTIFACT, inputs)
    assert not engine.read(ARTIFACT, url, inputs).id
    engine.delete(ARTIFACT, inputs)


def test_an_artifact_with_other_content_than_was_meant_goes_nowhere(
    engine: Engine, artifact: Path, tmp_path: Path
) -> None:
    inputs = {"path": str(artifact), "sha256": "0" * 64, "url": f"file://{tmp_path}/store/code.zip"}
    with pytest.raises(grpc.RpcError, match="has the SHA-256"):
        engine.create(ARTIFACT, inputs)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("url", ["", "ftp://a/b", "s3://bucket", "s3://bucket/folder/", "/somewhere"])
def test_urls_that_name_no_object(engine: Engine, url: str) -> None:
    assert set(engine.failures(ARTIFACT, {"path": "/a", "sha256": "0" * 64, "url": url})) == {"url"}
