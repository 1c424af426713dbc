"""A platform package says of everything whether it has it, and has the files of the others."""

from importlib.util import find_spec
from pathlib import Path

from alien_iac import platforms
from alien_iac.models.arguments import ARGUMENTS
from alien_iac.models.platform import Platform
from alien_iac.resources.building import ORDER

FILES = {"bindings", "container", "function", "kv", "provider", "queue", "secret", "storage", "workload"}
BESIDE = {"Provider", platforms.CHECKS, platforms.OFFLINE}
"""What a package may map beside the kinds."""


def test_every_kind_is_built_or_refused(platform: Platform) -> None:
    support = platforms.support(platform)
    assert set(ARGUMENTS) <= support.kinds | set(support.unsupported)
    assert not support.kinds & set(support.unsupported)
    assert {"Provider"} <= support.kinds - set(ARGUMENTS) <= BESIDE
    assert set(ORDER) == set(ARGUMENTS)


def test_every_name_in_the_table_can_be_loaded(platform: Platform) -> None:
    assert all(callable(platforms.load(platform, kind)) for kind in platforms.support(platform).kinds)


def test_tables_speak_of_arguments_that_exist(platform: Platform) -> None:
    support = platforms.support(platform)
    for feature in (*support.unsupported, *support.ignored):
        kind, _, argument = feature.partition("=")[0].partition(".")
        assert kind in ARGUMENTS
        assert not argument or argument in ARGUMENTS[kind].model_fields  # type: ignore[index]  # it is a kind: see above


def test_every_kind_has_roles(platform: Platform) -> None:
    support = platforms.support(platform)
    assert set(support.roles) == support.kinds - BESIDE
    assert all(support.roles.values())


def test_the_files_are_those_of_the_other_platforms(platform: Platform) -> None:
    spec = find_spec(platforms.PACKAGES[platform])
    assert spec is not None
    assert spec.origin is not None
    assert {path.stem for path in Path(spec.origin).parent.glob("*.py")} >= FILES


def test_the_tables_are_read_without_an_sdk(platform: Platform) -> None:
    package = find_spec(platforms.PACKAGES[platform])
    assert package is not None
    assert package.origin is not None
    assert "import" not in {line.split(" ")[0] for line in Path(package.origin).read_text().splitlines()}
