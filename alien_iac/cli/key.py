"""`alien key`: the vendor's two keys, which sign roots of trust and releases, and which no control plane ever sees."""

from pathlib import Path

import click

from alien_iac.cli import remote, render, vendor
from alien_iac.packaging.vendor import VendorFolder


@click.group()
def key() -> None:
    """Make or rotate the vendor's signing keys. The passphrase comes from ALIEN_KEY_PASSPHRASE, or is asked for."""


@key.command()
@click.option("--vendor", "name", required=True, help="The vendor's name; it stands in every release.")
@vendor.vendor_options
@remote.control_options
@render.JSON_OPTION
def init(name: str, project: Path, url: str, token_file: Path | None, *, as_json: bool) -> None:
    """Make the keys and the first root of trust, and give the root to the control plane."""
    control = remote.connect(url, token_file)
    place = vendor.folder_of(project).path
    online = vendor.online_keys(control)
    made = VendorFolder.init(place, name, vendor.passphrase(new=True), online, vendor.now())
    vendor.send_trust(control, made)
    text = f"made the keys in {place}\nkeep a copy of that folder: whoever loses it can release no more"
    render.show({"folder": str(place), "root": 1}, lambda _: text, as_json_=as_json)


@key.command()
@vendor.vendor_options
@remote.control_options
@render.JSON_OPTION
def rotate(project: Path, url: str, token_file: Path | None, *, as_json: bool) -> None:
    """Replace both keys. Agents follow by themselves, since the old keys sign for the new ones."""
    control = remote.connect(url, token_file)
    folder = vendor.folder_of(project)
    folder.rotate(vendor.passphrase(), vendor.online_keys(control), vendor.now())
    vendor.send_trust(control, folder)
    count = len(folder.roots())
    render.show(
        {"root": count}, lambda _: f"root {count} is in force; the keys before it sign nothing more", as_json_=as_json
    )


@key.command()
@vendor.vendor_options
@remote.control_options
@render.JSON_OPTION
def send(project: Path, url: str, token_file: Path | None, *, as_json: bool) -> None:
    """Give the control plane the roots that are here: after a rotation that it did not hear of."""
    folder = vendor.folder_of(project)
    vendor.send_trust(remote.connect(url, token_file), folder)
    render.show({"root": len(folder.roots())}, lambda _: f"{len(folder.roots())} root(s) are there", as_json_=as_json)
