import subprocess
import sys

import pytest

import alien_iac
from alien_iac.checks.catalogue import CATALOGUE
from alien_iac.models.platform import Platform
from alien_iac.resources.tokens import TOKENS


def test_public_names_are_sorted_and_all_of_them_load() -> None:
    assert alien_iac.__all__ == sorted(alien_iac.__all__)
    assert all(getattr(alien_iac, name) is not None for name in alien_iac.__all__)
    assert set(alien_iac.__all__) <= set(dir(alien_iac))


def test_an_unknown_name_says_so() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Bucket'"):
        _ = alien_iac.Bucket


def test_importing_the_library_loads_neither_pulumi_nor_anything_heavy() -> None:
    heavy = "{'pulumi', 'click', 'pydantic', 'grpc', 'httpx', 'typing_extensions'}"
    code = f"import sys, alien_iac; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_type_tokens_are_public_and_do_not_change() -> None:
    assert TOKENS == {
        "Container": "alien:index:Container",
        "Foundation": "alien:index:Foundation",
        "Function": "alien:index:Function",
        "Kv": "alien:index:Kv",
        "Queue": "alien:index:Queue",
        "Secret": "alien:index:Secret",
        "Storage": "alien:index:Storage",
    }


def test_platforms_are_those_of_the_config() -> None:
    assert [platform.value for platform in Platform] == ["aws", "azure", "gcp", "local"]


def test_the_catalogue_of_findings_is_sorted_and_every_entry_says_what_it_means() -> None:
    assert list(CATALOGUE) == sorted(CATALOGUE)
    assert all(entry.meaning.endswith(".") for entry in CATALOGUE.values())
