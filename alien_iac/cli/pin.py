"""`alien pin`: keep rollouts away from one deployment."""

from pathlib import Path

import click

from alien_iac import errors
from alien_iac.cli import remote, render
from alien_iac.cli.finding import find
from alien_iac.protocol.api import Deployment, Pin


@click.command()
@click.argument("deployment")
@click.argument("release", required=False)
@click.option("--off", is_flag=True, help="Let rollouts have the deployment again.")
@click.option("--reason", default="", help="Why; it goes into the audit log.")
@remote.control_options
@render.JSON_OPTION
def pin(
    deployment: str, release: str | None, reason: str, url: str, token_file: Path | None, *, off: bool, as_json: bool
) -> None:
    """Hold DEPLOYMENT on RELEASE (by default the one it runs)."""
    control = remote.connect(url, token_file)
    found = find(control, deployment)
    held = None if off else release or found.release
    if held is None and not off:
        raise errors.InvalidInput(f'"{found.customer}" runs no release yet', hint="name the release to hold it on")
    body = Pin(release=held, reason=reason).dump()
    done = Deployment.model_validate(control.call("PUT", f"/deployments/{found.id}/pin", body=body))
    text = f"{done.customer}: held on {done.pinned}" if done.pinned else f"{done.customer}: rollouts have it again"
    render.show(done, lambda _: text, as_json_=as_json)
