"""The vendor's side of trust for the command line: its folder, its passphrase, and what goes to the control plane."""

import base64
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from alien_iac import errors, projects
from alien_iac.cli import remote
from alien_iac.packaging.sign import OnlineKeys as Online
from alien_iac.packaging.vendor import FOLDER, VendorFolder
from alien_iac.protocol.api import OnlineKeys

PASSPHRASE = "ALIEN_KEY_PASSPHRASE"  # noqa: S105 - a variable's name
F = TypeVar("F", bound=Callable[..., Any])


def vendor_options(command: F) -> F:
    """The option `project`, whose folder has the vendor's keys."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.option("--project", type=folder, default=".", help="Folder of the project, or one in it.")(command)


def folder_of(project: Path) -> VendorFolder:
    """The vendor's folder of a project."""
    return VendorFolder(projects.find(project).folder / FOLDER)


def passphrase(*, new: bool = False) -> str:
    """The passphrase of the keys: from the environment, or asked for on a terminal. Never from argv."""
    told = os.environ.get(PASSPHRASE, "")
    if told:
        return told
    if not sys.stdin.isatty():
        raise errors.InvalidInput("the vendor's keys need their passphrase", hint=f"set {PASSPHRASE}")
    asked: str = click.prompt("Passphrase of the keys", hide_input=True, confirmation_prompt=new, err=True)
    return asked


def online_keys(control: remote.Remote) -> Online:
    """The control plane's public keys by role."""
    return control.get(OnlineKeys, "/tuf/online-keys").keys


def now() -> datetime:
    """The instant at which something is signed."""
    return datetime.now(UTC)


def put_roots(control: remote.Remote, roots: Iterable[bytes]) -> None:
    """Send a chain of roots, the first one first. What is there already is left as it is."""
    for root in roots:
        control.call("PUT", "/tuf/root", body={"metadata": encoded(root)})


def put_blobs(control: remote.Remote, files: Mapping[str, Path], tell: Callable[[int], object]) -> None:
    """Send files by their SHA-256; `tell` is called with the size of each that is done."""
    for sha256, path in files.items():
        content = path.read_bytes()
        control.call("PUT", f"/blobs/{sha256}", content=content)
        tell(len(content))


def encoded(content: bytes) -> str:
    """Bytes as they travel in JSON."""
    return base64.b64encode(content).decode()
