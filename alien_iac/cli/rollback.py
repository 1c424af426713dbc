"""`alien rollback`: take a release back from every deployment that a rollout brought it to."""

from pathlib import Path

import click

from alien_iac.cli import remote, render
from alien_iac.cli.progress import follow
from alien_iac.cli.rollout import card, latest
from alien_iac.errors import RolloutFailed
from alien_iac.protocol.api import Rollout, RolloutAction


@click.command()
@click.argument("rollout_id", required=False)
@click.option("--reason", default="", help="Why; it goes into the audit log.")
@click.option("--detach", is_flag=True, help="Do not wait until it is done.")
@remote.control_options
@render.JSON_OPTION
def rollback(
    rollout_id: str | None, reason: str, url: str, token_file: Path | None, *, detach: bool, as_json: bool
) -> None:
    """Return every deployment of a rollout (the newest, by default) to the release it had before."""
    control = remote.connect(url, token_file)
    named = rollout_id or latest(control)
    body = RolloutAction(action="rollback", reason=reason)
    one = control.post(Rollout, f"/rollouts/{named}/actions", body)
    one = one if detach else follow(control, named, quiet=as_json)
    render.show(one, card, as_json_=as_json)
    left = [t.customer for t in one.targets if t.state == "return-failed"]
    if left:
        raise RolloutFailed(f"not returned: {', '.join(left)}", hint="`alien rollout status` says why")
