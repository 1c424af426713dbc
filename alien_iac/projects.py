"""A Pulumi project on disk: its `Pulumi.yaml`, one `Pulumi.<customer>.yaml` a customer, and what local use needs.

The Automation API's own way to save settings drops keys that it does not know, so these files are written here.
"""

import os
import secrets
import string
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from alien_iac.engine import project as pulumi_project
from alien_iac.errors import Conflict, InvalidInput, NotFound
from alien_iac.models import names

PREFIX_LETTERS = string.ascii_lowercase + string.digits
LOCAL = ".alien"
"""The folder beside `Pulumi.yaml` that local use makes: passphrase, state, data of `local`. It is not committed."""


def find(folder: Path) -> pulumi_project.Project:
    """The project of a folder. Raises NotFound where neither it nor one above it has a `Pulumi.yaml`."""
    try:
        return pulumi_project.find(folder.resolve())
    except NotFound as error:
        raise NotFound(
            f"there is no Pulumi.yaml in {folder.resolve()}, nor above it",
            hint="go to the project's folder, or make a project in an empty one: alien init",
        ) from error


def check_customer(customer: str) -> None:
    """Raises InvalidInput for a name that cannot begin the names of what is deployed."""
    if not names.is_customer(customer):
        raise InvalidInput(
            f'"{customer}" cannot name a customer: physical names begin with it', hint=names.CUSTOMER_RULE
        )


def make_prefix(customer: str) -> str:
    """A new prefix of physical names: the customer and six random characters."""
    return f"{customer}-{''.join(secrets.choice(PREFIX_LETTERS) for _ in range(names.RANDOM))}"


def init(folder: Path, customer: str, platform: str, values: Mapping[str, Any] | None = None) -> Path:
    """Make `Pulumi.<customer>.yaml` and return its path. The prefix in it is never changed afterwards.

    Raises InvalidInput for a name that cannot be used, Conflict where the customer has one, and NotFound where there is
    no project.
    """
    check_customer(customer)
    path = find(folder).stack_file(customer)
    if "alien:prefix" in read_config(path):
        raise Conflict(f"{path} exists already", hint="its prefix names what is deployed, so it is left as it is")
    begun = {"alien:platform": platform, "alien:prefix": make_prefix(customer), "alien:customer": customer}
    write_config(path, {**begun, **(values or {})})
    return path


def read_config(path: Path) -> dict[str, Any]:
    """The config in a Pulumi stack's file; empty where there is no file. Raises InvalidInput if it is not YAML."""
    return dict(_read(path).get("config") or {})


def write_config(path: Path, config: Mapping[str, Any]) -> None:
    """Set all config of a Pulumi stack's file, and keep what else it holds (the salt of its secrets)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump({**_read(path), "config": dict(config)}, sort_keys=False)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        pulumi_project.replace_text(path, text, 0o644)


def local_dir(folder: Path, customer: str) -> Path:
    """Where a customer's deployment on `local` keeps its data (`alien:localDir`). NotFound where it has no config."""
    project = find(folder)
    config = read_config(project.stack_file(customer))
    if "alien:prefix" not in config:
        raise NotFound(
            f"there is no deployment of {customer} in {project.folder}",
            hint=f"make it: alien init {customer} --platform local",
        )
    given = config.get("alien:localDir") or f"{LOCAL}/{config['alien:prefix']}"
    return (project.folder / Path(str(given)).expanduser()).resolve()


def write_project(path: Path, settings: Mapping[str, Any]) -> None:
    """Write a `Pulumi.yaml`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pulumi_project.replace_text(path, yaml.safe_dump(dict(settings), sort_keys=False), 0o644)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise InvalidInput(
            f"{path} is not YAML: {error}", hint="mend it by hand, or take it from version control"
        ) from error
    if not isinstance(found, dict):
        raise InvalidInput(
            f"{path} holds {type(found).__name__}, not a mapping", hint="its first line should be `config:`"
        )
    return found


def local_environment(folder: Path, around: Mapping[str, str]) -> dict[str, str]:
    """What the engine needs on a developer's machine and is not set: a passphrase file, and a place for the state.

    And PATH, with our plugin on it, which is beside the Python that runs this.
    """
    scripts = str(Path(sys.executable).parent)
    project, given = find(folder), {"PATH": os.pathsep.join([scripts, around.get("PATH", os.defpath)])}
    if not any(name in around for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")):
        given["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(passphrase_file(project.folder / LOCAL))
    if "PULUMI_BACKEND_URL" not in around and not project.settings.get("backend") and not _is_logged_in(around):
        state = project.folder / LOCAL / "state"
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        given["PULUMI_BACKEND_URL"] = state.as_uri()
    return given


def passphrase_file(folder: Path) -> Path:
    """The file `passphrase` (0600) of a folder, made with a random one where there is none."""
    path = folder / "passphrase"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        pulumi_project.replace_text(path, secrets.token_urlsafe(32), 0o600)
    return path


def _is_logged_in(around: Mapping[str, str]) -> bool:
    """Whether `pulumi login` chose a backend on this machine."""
    return (pulumi_project.home(around) / "credentials.json").is_file() or "PULUMI_ACCESS_TOKEN" in around
