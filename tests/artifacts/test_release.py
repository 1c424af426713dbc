"""A stack program becomes a release: bundle, artifacts, wheels, declared commands, manifest."""

import textwrap
import zipfile
from pathlib import Path

import pytest
from artifacts import tiny_wheel
from packaging.requirements import Requirement

from alien_iac.errors import InvalidInput, NotFound, StackInvalid, Unsupported
from alien_iac.packaging import bundle, commands, release
from alien_iac.packaging.needs import requirements
from alien_iac.packaging.program import describe
from alien_iac.packaging.source import Target, package
from alien_iac.protocol.manifest import Manifest, SignedConfig

PROGRAM = """
import alien_iac as alien
files = alien.Storage("files")
disk = alien.Container("disk", source="./disk", port=80, commands=True, volumes=[alien.Volume("/data", size="1Gi")],
                       env={"WORD": "x"})
worker = alien.Function("worker", source="./worker", commands=True, link=[files])
quiet = alien.Function("quiet", source="./worker")
"""
WORKER = """
from alien_iac.runtime import command

print("loading")

@command("greet")
def greet(name: str, times: int = 1) -> str:
    '''Say hello.'''
    return name * times
"""
DISK = """
import os
from alien_iac.runtime import command
PLACE = os.environ["ALIEN_VOLUME_DATA"] + os.environ["WORD"]

@command("size")
def size() -> int: return 1
"""


def project(folder: Path, main: str = "", program: str = PROGRAM) -> Path:
    inner = folder / main
    for name, text in {"worker": WORKER, "disk": DISK}.items():
        (inner / name).mkdir(parents=True)
        (inner / name / "main.py").write_text(text)
    (inner / "__main__.py").write_text(program)
    (folder / "Pulumi.yaml").write_text(f"name: app\nruntime: python\n{f'main: {main}' if main else ''}\n")
    (folder / "Pulumi.acme.yaml").write_text("config:\n  alien:customer: acme\n")
    return folder


def order(folder: Path, **changes: object) -> release.Order:
    facts = {"project": folder, "vendor": "acme-soft", "version": "1.0", "sequence": 3}
    return release.Order(**(facts | changes))  # type: ignore[arg-type]


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as opened:
        return opened.namelist()


def test_a_release_names_all_its_bytes_and_is_the_same_twice(tmp_path: Path) -> None:
    first = release.build(order(project(tmp_path / "a")), tmp_path / "cache-1")
    second = release.build(order(project(tmp_path / "b" / "c")), tmp_path / "cache-2")
    assert first.content == second.content
    manifest = Manifest.model_validate_json(first.content)
    assert manifest == first.manifest
    assert set(manifest.artifacts) == {"disk", "worker", "quiet"}
    assert [(each.resource, each.name) for each in manifest.commands] == [("disk", "size"), ("worker", "greet")]
    greet = manifest.commands[1]
    assert greet.description == "Say hello."
    assert greet.parameters["required"] == ["name"]
    for blob in (manifest.program_bundle, *manifest.artifacts.values()):
        assert first.files[blob.sha256].stat().st_size == blob.length
    assert first.blob.path == "releases/app/1.0/manifest.json"
    assert len(first.blobs) == 5


@pytest.mark.slow
def test_every_platform_has_artifacts_of_its_own(tmp_path: Path) -> None:
    program = """
import alien_iac as alien
files = alien.Storage("files")
worker = alien.Function("worker", source="./worker", commands=True, link=[files])
"""
    folder = project(tmp_path / "app", program=program)
    for need in requirements("gcp", "Function", ["Storage"]):
        told = Requirement(need)
        lowest = next(each.version for each in told.specifier if each.operator == ">=")
        tiny_wheel.make(folder / "worker" / "wheels", told.name.replace("-", "_"), version=lowest)
    tiny_wheel.requirements(folder / "worker")
    (folder / "worker" / ".alienignore").write_text("wheels/\n")
    built = release.build(order(folder, platforms=("local", "gcp")), tmp_path / "cache")
    manifest = Manifest.model_validate_json(built.content)
    local, gcp = manifest.artifacts_on("local")["worker"], manifest.artifacts_on("gcp")["worker"]
    assert ".python/obstore.py" in names(built.files[gcp.sha256])
    assert names(built.files[local.sha256]) == ["main.py", "requirements.txt"]
    assert {local, gcp} <= set(built.blobs)
    assert gcp not in manifest.blobs_on("local")
    assert [each.name for each in manifest.commands] == ["greet"]


@pytest.mark.parametrize("main", ["", "stacks"])
def test_a_bundle_is_the_program_without_any_customer(tmp_path: Path, main: str) -> None:
    made = bundle.bundle(project(tmp_path / "app", main), tmp_path / "cache")
    expected = ["__main__.py", "disk/main.py", "worker/main.py"]
    assert names(made.path) == ([] if main else ["Pulumi.yaml"]) + expected


def test_a_bundle_with_a_secret_is_refused(tmp_path: Path) -> None:
    folder = project(tmp_path / "app")
    (folder / "worker" / ".env").write_text("TOKEN=1")
    with pytest.raises(InvalidInput, match=r"worker/\.env"):
        bundle.bundle(folder, tmp_path / "cache")


def test_wheels_are_what_the_program_needs_and_an_agent_lacks(tmp_path: Path) -> None:
    folder = project(tmp_path / "app")
    assert bundle.wheels(folder, tmp_path / "cache") == ()
    tiny_wheel.make(folder / "wheels", requires=("pulumi>=3", "httpx"))
    tiny_wheel.requirements(folder, "tiny", "alien-iac[aws]", "pulumi-aws", "pyyaml")
    found = bundle.wheels(folder, tmp_path / "cache")
    assert [name for name, _ in found] == ["tiny-1.0-py3-none-any.whl"]
    assert found == bundle.wheels(folder, tmp_path / "cache")


def test_findings_of_the_checks_come_all_at_once(tmp_path: Path) -> None:
    folder = project(tmp_path / "app", program='import alien_iac as alien\nalien.Kv("BAD")\nalien.Queue("a--b")\n')
    with pytest.raises(StackInvalid) as caught:
        describe(folder, "local")
    assert {each.resource for each in caught.value.findings} == {"BAD", "a--b"}


def test_a_program_that_raises_or_exits_is_told_with_its_place(tmp_path: Path) -> None:
    raising = project(tmp_path / "a", program="def f():\n    raise ValueError('boom')\nf()\n")
    with pytest.raises(InvalidInput, match=r"raised ValueError: boom \(__main__\.py, line 2\)"):
        describe(raising, "local")
    ending = project(tmp_path / "b", program="import os\nprint('bye')\nos._exit(3)\n")
    with pytest.raises(InvalidInput, match="exit code 3"):
        describe(ending, "local")


def test_a_program_may_ask_for_config(tmp_path: Path) -> None:
    text = "import pulumi\nimport alien_iac as alien\nalien.Kv(pulumi.Config().require('name'))\n"
    folder = project(tmp_path / "app", program=text)
    assert describe(folder, "local", {"project:name": "people"}).workloads == ()


def test_code_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    source = tmp_path / "worker"
    source.mkdir()
    (source / "main.py").write_text("import nothing_like_it\n")
    made = package(source, Target(), tmp_path / "cache")
    with pytest.raises(InvalidInput, match=r"(?s)worker: its commands cannot be read.*nothing_like_it"):
        commands.declared(made, "worker")


def test_the_child_that_reads_commands_sees_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    source = tmp_path / "worker"
    source.mkdir()
    text = """
        import os
        from alien_iac.runtime import command
        assert "AWS_SECRET_ACCESS_KEY" not in os.environ
        @command("x")
        def x() -> None: ...
    """
    (source / "main.py").write_text(textwrap.dedent(text))
    found = commands.declared(package(source, Target(), tmp_path / "cache"), "worker")
    assert [each.name for each in found] == ["x"]


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"platforms": ("local", "moon")}, Unsupported, "moon"),
        ({"version": "a/b"}, InvalidInput, '"a/b" cannot be a version'),
    ],
)
def test_bad_orders_are_refused(tmp_path: Path, changes: dict[str, object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        release.build(order(project(tmp_path / "app"), **changes), tmp_path / "cache")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [(None, "there is no .*Pulumi.yaml"), ("a: [", "is not YAML"), ("- a", "must be a map"), ("main: x", "__main__")],
)
def test_a_bad_project_file_is_told(tmp_path: Path, text: str | None, complaint: str) -> None:
    if text is not None:
        (tmp_path / "Pulumi.yaml").write_text(text)
    with pytest.raises((NotFound, InvalidInput), match=complaint):
        bundle.program_folder(tmp_path)


def test_a_signed_config_has_its_own_path() -> None:
    config = SignedConfig(deployment_id="d1", serial=4, customer="acme", values={"app:x": 1}, salt="s")
    blob, content = release.signed_config(config)
    assert blob.path == "deployments/d1/config-4.json"
    assert SignedConfig.model_validate_json(content) == config
