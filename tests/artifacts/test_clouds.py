"""A source folder becomes an artifact for a cloud: for its machine and its layout, with our runtime in it."""

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from artifacts import tiny_wheel
from packaging.requirements import Requirement

from alien_iac.checks import sizes
from alien_iac.errors import InvalidInput
from alien_iac.models.platform import Platform
from alien_iac.models.purpose import Purpose
from alien_iac.packaging.needs import BASE, OF_FUNCTION, OF_LINK, OF_POLLING, requirements
from alien_iac.packaging.source import Target, package
from alien_iac.packaging.unpack import unpack

CLOUDS = ("aws", "gcp", "azure")
AZURE = ".python_packages/lib/site-packages/"
MB = 2**20


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def of(platform: str, **more: object) -> Target:
    return Target.of(Purpose(platform=Platform(platform), **more))  # type: ignore[arg-type]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A source whose requirements, and those of our runtime, are wheels made by hand."""
    folder = tmp_path / "app"
    of_both = (requirements(each, kind, OF_LINK[each]) for each in CLOUDS for kind in ("Container", "Function"))
    for need in {need for needs in of_both for need in needs}:
        told = Requirement(need)
        lowest = next(each.version for each in told.specifier if each.operator in {">=", "=="})
        tiny_wheel.make(folder / "wheels", told.name.replace("-", "_"), version=lowest)
    tiny_wheel.make(folder / "wheels", "tiny", script=True)
    tiny_wheel.requirements(folder, "tiny", "alien-iac[deploy]")
    (folder / "main.py").write_text("import tiny\n")
    (folder / ".alienignore").write_text("wheels/\n")
    return folder


@pytest.mark.parametrize(
    ("platform", "kind", "place"),
    [
        ("aws", "Function", ""),
        ("aws", "Container", ".python/"),
        ("gcp", "Function", ".python/"),
        ("gcp", "Container", ".python/"),
        ("azure", "Function", AZURE),
        ("azure", "Container", ".python/"),
    ],
)
def test_the_vendors_code_is_at_the_root_and_the_rest_where_the_cloud_looks(
    app: Path, tmp_path: Path, platform: str, kind: str, place: str
) -> None:
    found = names(package(app, of(platform, kind=kind), tmp_path / "cache").path)
    ours = {"alien_iac/__init__.py", "alien_iac/errors.py", "alien_iac/runtime/__init__.py", "tiny.py", "pydantic.py"}
    assert {"main.py", *(f"{place}{name}" for name in ours)} <= set(found)
    assert not [name for name in found if name.startswith((f"{place}alien_iac/cli", f"{place}alien_iac/engine"))]
    assert (f"{place}bin/tiny-say" in found) is bool(place)


@pytest.mark.parametrize("platform", CLOUDS)
def test_an_sdk_comes_only_with_a_link_that_needs_it(app: Path, tmp_path: Path, platform: str) -> None:
    def modules(**more: object) -> set[str]:
        made = package(app, of(platform, **more), tmp_path / "cache")
        return {name.rpartition("/")[2] for name in names(made.path)}

    assert "obstore.py" not in modules()
    assert "obstore.py" in modules(linked=frozenset({"Storage"}))


def test_a_store_comes_for_whom_it_is_not_in_the_clouds_own_image(app: Path, tmp_path: Path) -> None:
    linked = frozenset({"Kv", "Function"})
    found = {
        kind: names(package(app, of("aws", kind=kind, linked=linked), tmp_path / "cache").path)
        for kind in ("Function", "Container")
    }
    assert "botocore.py" not in found["Function"]
    assert ".python/botocore.py" in found["Container"]


def test_a_function_on_azure_has_what_its_host_asks_for(app: Path, tmp_path: Path) -> None:
    found = names(package(app, of("azure"), tmp_path / "cache").path)
    assert {"function_app.py", "host.json", "main.py", f"{AZURE}azure_functions.py"} <= set(found)
    assert f"{AZURE}azure_servicebus.py" not in found
    polling = names(package(app, of("azure", polls=True), tmp_path / "cache").path)
    assert f"{AZURE}azure_servicebus.py" in polling
    (app / "host.json").write_text("{}")
    with pytest.raises(InvalidInput, match=r"the source has host\.json"):
        package(app, of("azure"), tmp_path / "cache")


def test_the_same_folder_gives_the_same_bytes_for_each_cloud(app: Path, tmp_path: Path) -> None:
    for platform in CLOUDS:
        first = package(app, of(platform), tmp_path / "cache-1")
        second = package(app, of(platform), tmp_path / "cache-2")
        assert first.path.read_bytes() == second.path.read_bytes()
        assert first == package(app, of(platform), tmp_path / "cache-1")


def test_wheels_are_those_of_the_target_and_not_of_this_machine(app: Path, tmp_path: Path) -> None:
    for machine in ("aarch64", "x86_64"):
        tag = f"cp313-cp313-manylinux_2_28_{machine}"
        tiny_wheel.make(app / "wheels", "fast", tag=tag, text=f"MACHINE = '{machine}'\n")
    tiny_wheel.requirements(app, "fast")
    for architecture, machine in (("arm64", "aarch64"), ("x86_64", "x86_64")):
        made = package(app, of("aws", architecture=architecture), tmp_path / "cache")
        with zipfile.ZipFile(made.path) as archive:
            assert archive.read("fast.py").decode() == f"MACHINE = '{machine}'\n"


def test_a_lambda_runs_on_arm64_unless_it_is_said_otherwise_and_the_rest_on_x86_64() -> None:
    assert [of(platform).architecture for platform in CLOUDS] == ["arm64", "x86_64", "x86_64"]
    assert {of(platform).python for platform in CLOUDS} == {(3, 13)}
    assert of("local", architecture="arm64") == Target()


def test_what_exists_as_source_only_is_named_with_the_way_out(app: Path, tmp_path: Path) -> None:
    tiny_wheel.make_source(app / "wheels", "crude")
    tiny_wheel.make(app / "wheels", "fast", tag="cp313-cp313-win_amd64")
    tiny_wheel.requirements(app, "tiny", "crude", "fast")
    with pytest.raises(InvalidInput, match=r"no wheel of (crude|fast)(, fast)? for Python 3\.13 on arm64") as caught:
        package(app, of("aws"), tmp_path / "cache")
    assert "--find-links" in (caught.value.hint or "")


def test_a_folder_of_the_vendors_own_has_no_wheel_either(app: Path, tmp_path: Path) -> None:
    (app / "lib").mkdir()
    (app / "lib" / "pyproject.toml").write_text('[project]\nname = "lib"\nversion = "1"\n')
    tiny_wheel.requirements(app, "./lib")
    with pytest.raises(InvalidInput, match=r"there is no wheel of lib for Python 3\.13"):
        package(app, of("gcp"), tmp_path / "cache")


def test_requirements_that_do_not_fit_with_ours_are_told_as_that(app: Path, tmp_path: Path) -> None:
    tiny_wheel.make(app / "wheels", "pydantic", version="1.5")
    tiny_wheel.requirements(app, "pydantic<2")
    with pytest.raises(InvalidInput, match=r"do not fit with .*pydantic>=2\.11,<3.* of alien-iac"):
        package(app, of("gcp"), tmp_path / "cache")


def test_a_file_of_the_source_that_is_also_one_of_a_requirement_is_refused(app: Path, tmp_path: Path) -> None:
    (app / "tiny.py").write_text("")
    with pytest.raises(InvalidInput, match=r"the source has tiny\.py, and so has"):
        package(app, of("aws"), tmp_path / "cache")
    assert package(app, of("gcp"), tmp_path / "cache").length


@pytest.mark.parametrize("platform", CLOUDS)
def test_secrets_and_histories_never_go_in(app: Path, tmp_path: Path, platform: str) -> None:
    for name in (".env", ".env.production", "server.key", "cert.pem", ".git/config", "id_ed25519", "Pulumi.acme.yaml"):
        path = app / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("planted-secret")
    (app / ".alienignore").write_text("wheels/\n!.env\n!.git/\n!*.pem\n")
    made = package(app, of(platform), tmp_path / "cache")
    with zipfile.ZipFile(made.path) as archive:
        assert not [name for name in archive.namelist() if b"planted-secret" in archive.read(name)]


def zipped(path: Path, *, size: int, stored: bool = False) -> Path:
    way = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with (
        zipfile.ZipFile(path, "w", way, compresslevel=1) as archive,
        archive.open("big", "w", force_zip64=True) as file,
    ):
        for _ in range(size // MB):
            file.write(bytes(MB))
    return path


def test_each_clouds_limit_is_a_finding(tmp_path: Path) -> None:
    huge = zipped(tmp_path / "huge.zip", size=251 * MB)
    [found] = sizes.check(Platform.AWS, "Function", "worker", huge)
    assert (found.code, found.severity, found.resource) == ("ARTIFACT_TOO_LARGE", "error", "worker")
    assert "251.0 MB unpacked, and Lambda takes 250.0 MB" in found.message
    assert not list(sizes.check(Platform.GCP, "Function", "worker", huge))
    [found] = sizes.check(Platform.AWS, "Function", "worker", zipped(tmp_path / "big.zip", size=51 * MB, stored=True))
    assert (found.code, found.severity) == ("ARTIFACT_LARGE", "info")
    (tmp_path / "planned").write_text("stands for one")
    assert not list(sizes.check(Platform.AWS, "Function", "worker", tmp_path / "planned"))


def test_the_table_of_needs_is_what_the_library_declares_for_itself() -> None:
    of_links = (needs for of_one in OF_LINK.values() for needs in of_one.values())
    tables = (BASE, *OF_FUNCTION.values(), *OF_POLLING.values(), *of_links)
    assert {_plain(need) for table in tables for need in table} <= {_plain(need) for need in _declared()}


def _plain(need: str) -> tuple[str, str]:
    """Its name and versions: an extra of a package costs what not every workload needs."""
    told = Requirement(need)
    return told.name, str(told.specifier)


def _declared() -> Iterator[str]:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    yield from project["dependencies"]
    for extra, needs in project["optional-dependencies"].items():
        if extra.startswith("runtime-"):
            yield from needs


HANDLERS = """
import sys
from alien_iac.runtime import command

@command("greet")
def greet(name: str) -> str:
    return f"{name} from {'pulumi' in sys.modules}"
"""


@pytest.mark.slow
@pytest.mark.parametrize("platform", CLOUDS)
def test_an_artifact_runs_in_an_environment_that_has_nothing_else(tmp_path: Path, platform: str) -> None:
    """Packaged with real wheels, for this machine's own Python so that it can be started here."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "main.py").write_text(HANDLERS)
    target = Target(platform=platform, architecture="x86_64")
    made = package(source, target, tmp_path / "cache")
    assert made.length < 12 * MB
    assert not [name for name in names(made.path) if "pulumi" in name.lower()]
    unpack(made.path, tmp_path / "out")
    command = [sys.executable, "-S", "-m", "alien_iac.runtime.describe", ".", "--resource", "worker"]
    # Without `site`, Python finds its own library and what PYTHONPATH names.
    place = tmp_path / "out" / target.folder
    done = subprocess.run(
        command, cwd=tmp_path / "out", env={"PYTHONPATH": str(place)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert '"greet"' in done.stdout
