"""The vendor's side of trust for the command line: its folder, its passphrase, and what goes to the control plane."""

import base64
import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from alien_iac import errors, projects
from alien_iac.cli import remote
from alien_iac.packaging import sign
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


def online_keys(control: remote.Remote) -> sign.OnlineKeys:
    """The control plane's public keys by role."""
    return control.get(OnlineKeys, "/tuf/online-keys").keys


def now() -> datetime:
    """The instant at which something is signed."""
    return datetime.now(UTC)


def catch_up(control: remote.Remote, folder: VendorFolder) -> None:
    """Take over what was published from here and not noted, because the command was cut short."""
    served = control.read("/tuf/metadata/targets.json")
    if served is not None:
        folder.catch_up(served)


def send_trust(control: remote.Remote, folder: VendorFolder) -> None:
    """Give the control plane the roots that it does not have yet.

    The newest goes together with the list of files that its keys signed: neither would hold without the other.
    """
    served = control.read("/tuf/metadata/root.json")
    missing = folder.roots()[sign.version_of(served) if served else 0 :]
    for root in missing[:-1]:
        control.call("PUT", "/tuf/root", body={"metadata": encoded(root)})
    targets = folder.targets()
    if missing and targets:
        body = {"metadata": encoded(targets), "rootMetadata": encoded(missing[-1])}
        control.call("PUT", "/tuf/targets", body=body)
    elif missing:
        control.call("PUT", "/tuf/root", body={"metadata": encoded(missing[-1])})


def put_blobs(control: remote.Remote, files: Mapping[str, Path], tell: Callable[[int], object]) -> None:
    """Send files by their SHA-256; `tell` is called with the size of each that is done."""
    for sha256, path in files.items():
        content = path.read_bytes()
        control.call("PUT", f"/blobs/{sha256}", content=content)
        tell(len(content))


def encoded(content: bytes) -> str:
    """Bytes as they travel in JSON."""
    return base64.b64encode(content).decode()
