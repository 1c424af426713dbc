"""`alien deployments`: which customers run what, how they are, and with which config."""

from pathlib import Path

import click

from alien_iac.cli import configure as configuring
from alien_iac.cli import remote, render, vendor
from alien_iac.cli.finding import find
from alien_iac.protocol.api import Deployment

HEAD = ("CUSTOMER", "PLATFORM", "STATUS", "RELEASE", "DESIRED", "HEALTH", "SEEN", "ID")


def _row(one: Deployment) -> tuple[object, ...]:
    seen = render.ago(one.last_seen)
    return (one.customer, one.platform, one.status, one.release, one.desired_release, one.health, seen, one.id)


def _card(one: Deployment) -> str:
    facts = {"labels": ", ".join(f"{k}={v}" for k, v in one.labels.items()), "pinned": one.pinned, "says": one.message}
    facts["agent"] = one.agent_version
    return "\n".join([render.table(HEAD, [_row(one)]), *(f"{k}: {v}" for k, v in facts.items() if v)])


@click.group()
def deployments() -> None:
    """List the deployments, or show one."""


@deployments.command()
@remote.control_options
@render.JSON_OPTION
def ls(url: str, token_file: Path | None, *, as_json: bool) -> None:
    """List every deployment."""
    found = tuple(remote.connect(url, token_file).pages(Deployment, "/deployments"))
    render.show(found, lambda all_: render.table(HEAD, map(_row, all_)), as_json_=as_json)


@deployments.command()
@click.argument("deployment")
@remote.control_options
@render.JSON_OPTION
def show(deployment: str, url: str, token_file: Path | None, *, as_json: bool) -> None:
    """Show one deployment, by its id or its customer's name."""
    render.show(find(remote.connect(url, token_file), deployment), _card, as_json_=as_json)


@deployments.command()
@click.argument("deployment")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@vendor.vendor_options
@remote.control_options
@render.JSON_OPTION
def configure(deployment: str, file: Path, project: Path, url: str, token_file: Path | None, *, as_json: bool) -> None:
    """Sign the config in FILE (YAML) for DEPLOYMENT, and give it to its agent. It holds no secret."""
    control, values = remote.connect(url, token_file), configuring.read(file)
    config = configuring.sign(control, vendor.folder_of(project), find(control, deployment), values)
    text = f"config {config.serial} of {config.customer} is signed; its agent applies it"
    render.show(config, lambda _: text, as_json_=as_json)
