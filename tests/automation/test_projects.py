"""The files of a Pulumi project: what is made once, and what must stay as it was."""

import re
from pathlib import Path

import pytest
import yaml

from alien_iac import automation, errors, projects

PROJECT = {
    "name": "tiny",
    "runtime": "python",
    "main": "stacks",
    "stackConfigDir": "stacks",
    "plugins": {"providers": []},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    projects.write_project(tmp_path / "Pulumi.yaml", PROJECT)
    return tmp_path


def test_init_writes_platform_customer_and_a_prefix_that_stays(folder: Path) -> None:
    path = projects.init(folder, "acme", "local", {"alien:labels": {"tier": "gold"}})
    assert path == folder / "stacks/Pulumi.acme.yaml"
    config = projects.read_config(path)
    assert config["alien:platform"] == "local"
    assert config["alien:customer"] == "acme"
    assert config["alien:labels"] == {"tier": "gold"}
    assert re.fullmatch(r"acme-[a-z0-9]{6}", config["alien:prefix"])
    with pytest.raises(errors.Conflict, match="exists already"):
        projects.init(folder, "acme", "local")
    assert projects.read_config(path) == config


def test_writing_config_keeps_the_salt(folder: Path) -> None:
    path = folder / "Pulumi.acme.yaml"
    path.write_text("encryptionsalt: v1:abc\nconfig:\n  old: 1\n")
    projects.write_config(path, {"new": 2})
    assert yaml.safe_load(path.read_text()) == {"encryptionsalt": "v1:abc", "config": {"new": 2}}


def test_what_is_no_config_says_where(folder: Path) -> None:
    path = folder / "Pulumi.acme.yaml"
    path.write_text("a: [")
    with pytest.raises(errors.InvalidInput, match=re.escape(str(path))):
        projects.read_config(path)


def test_local_use_makes_a_passphrase_and_a_place_for_the_state(folder: Path) -> None:
    around = {"HOME": str(folder)}
    given = projects.local_environment(folder, around)
    passphrase = Path(given["PULUMI_CONFIG_PASSPHRASE_FILE"])
    assert passphrase == folder / ".alien/passphrase"
    assert passphrase.stat().st_mode & 0o777 == 0o600
    assert given["PULUMI_BACKEND_URL"] == (folder / ".alien/state").as_uri()
    text = passphrase.read_text()
    assert projects.local_environment(folder, around) == given
    assert passphrase.read_text() == text


def test_what_is_set_already_is_left_alone(folder: Path) -> None:
    around = {"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_BACKEND_URL": "file:///x", "HOME": str(folder)}
    assert set(projects.local_environment(folder, around)) == {"PATH"}
    assert not (folder / ".alien").exists()


def test_opening_a_customer_that_is_not_there_names_the_command(folder: Path) -> None:
    with pytest.raises(errors.NotFound, match="alien init acme"):
        automation.open_stack(folder, "acme")
    (folder / "stacks").mkdir()
    (folder / "stacks/Pulumi.acme.yaml").write_text("config: {}\n")
    with pytest.raises(errors.ConfigInvalid, match="alien:platform"):
        automation.open_stack(folder, "acme")
