"""Secrets: the CLI's ciphertexts are opened, ours are of its form, and a wrong passphrase is said."""

import re
from pathlib import Path

import pulumi.automation as auto
import pytest
from engine.files_workspace import SALT, Files
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.engine.secrets import Keyring, PassphraseCipher, passphrase
from alien_iac.errors import InvalidInput

ENV = {"PULUMI_CONFIG_PASSPHRASE": "probe"}


def test_a_recorded_value_is_opened() -> None:
    cipher = Keyring().of(SALT, ENV)
    assert cipher.open("v1:pWhnGBhJUJP+T+aK:4xxMzWBhCoQAY14+ZdsFvQ4Gqtod79L0rg==") == "swordfish"


def test_a_new_salt_line_has_the_form_of_the_cli() -> None:
    keyring = Keyring()
    salt = keyring.new(ENV).salt
    assert re.fullmatch(r"v1:[A-Za-z0-9+/]{11}=:v1:[A-Za-z0-9+/]{16}:[A-Za-z0-9+/]{30}==", salt)
    assert Keyring().of(salt, ENV).open(keyring.of(salt, ENV).seal("x")) == "x"


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    cipher = PassphraseCipher("", b"k" * 32)
    assert cipher.open(cipher.seal(text)) == text


@pytest.mark.parametrize(
    "sealed", ["", "v1", "v1:a:b", "v2:AAAA:AAAA", "v1:pWhnGBhJUJP+T+aK:4xxMzWBhCoQAY14+ZdsFvQ4Gqg=="]
)
def test_what_was_not_sealed_here_is_refused(sealed: str) -> None:
    with pytest.raises(InvalidInput, match="failed to decrypt"):
        PassphraseCipher("", b"k" * 32).open(sealed)


def test_no_key_in_a_repr() -> None:
    assert "kkkk" not in repr(PassphraseCipher("", b"k" * 32))


def test_a_passphrase_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "phrase").write_text("probe\n")
    assert passphrase({"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "phrase")}) == "probe"
    with pytest.raises(InvalidInput, match="unable to read"):
        passphrase({"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "absent")})
    with pytest.raises(InvalidInput, match="must be set"):
        passphrase({})


def test_a_passphrase_file_is_seen_from_the_project(files: Files) -> None:
    (files.work / "phrase").write_text("probe\n")
    files.adopt_recorded_stack()
    del files.env["PULUMI_CONFIG_PASSPHRASE"]
    assert files.run("config", "get", "password", "--stack", "s", env={"PULUMI_CONFIG_PASSPHRASE_FILE": "phrase"}) == (
        "swordfish"
    )


def test_a_stack_without_a_salt_gets_one(files: Files) -> None:
    files.config_file.unlink()
    stack = files.stack()
    salt = files.config_file.read_text().removeprefix("encryptionsalt: ").strip()
    assert f'"salt":"{salt}"' in files.state_file.read_text()
    stack.set_config("k", auto.ConfigValue("x", secret=True))
    assert files.config_file.read_text().startswith(
        f"encryptionsalt: {salt}\nconfig:\n  probe-test:k:\n    secure: v1:"
    )


def test_a_wrong_passphrase_is_a_clear_error(files: Files) -> None:
    files.adopt_recorded_stack()
    wrong = files.stack(env={"PULUMI_CONFIG_PASSPHRASE": "nonsense"})
    assert wrong.get_config("plain").value == "open"
    for attempt in (wrong.get_all_config, wrong.up, wrong.export_stack, wrong.outputs):
        with pytest.raises(auto.errors.CommandError, match="error: incorrect passphrase") as refusal:
            attempt()
        assert "nonsense" not in str(refusal.value)


@pytest.mark.parametrize("provider", ["awskms://alias/x", "gcpkms://x", "hashivault://x", "nonsense"])
def test_other_providers_are_refused(files: Files, provider: str) -> None:
    options = files.options()
    options.secrets_provider = provider
    with pytest.raises(auto.errors.CommandError, match="Pulumi CLI"):
        auto.create_stack("s", work_dir=str(files.work), opts=options)
    files.config_file.write_text(f"secretsprovider: {provider}\n")
    with pytest.raises(auto.errors.CommandError, match="only 'passphrase'"):
        files.stack()
