"""`alien rollout`: follow a rollout, and do to it what a person may do."""

from pathlib import Path

import click

from alien_iac.cli import remote, render
from alien_iac.cli.finding import find
from alien_iac.cli.progress import ended_well, follow
from alien_iac.errors import NotFound, RolloutFailed
from alien_iac.protocol.api import Rollout, RolloutAction

HEAD = ("WAVE", "CUSTOMER", "STATE", "FROM", "SAYS")


def card(one: Rollout) -> str:
    """A rollout as a person reads it."""
    rows = [(t.wave, t.customer, t.state, t.from_release, t.message) for t in one.targets]
    title = f"{one.id}  {one.release}  {one.state}" + (f"  ({one.reason})" if one.reason else "")
    return f"{title}\n{render.table(HEAD, rows)}"


def latest(control: remote.Remote) -> str:
    """The id of the newest rollout. Raises NotFound where there is none."""
    for one in control.pages(Rollout, "/rollouts", limit=1):
        return one.id
    raise NotFound("there is no rollout yet", hint="`alien release` makes one")


@click.group()
def rollout() -> None:
    """Follow and steer rollouts. Where no ID is given, the newest one is meant."""


@rollout.command()
@remote.control_options
@render.JSON_OPTION
def ls(url: str, token_file: Path | None, *, as_json: bool) -> None:
    """List the rollouts, newest first."""
    found = tuple(remote.connect(url, token_file).pages(Rollout, "/rollouts"))
    head = ("ID", "RELEASE", "STATE", "STARTED", "REASON")
    text = render.table(head, ((r.id, r.release, r.state, render.ago(r.created_at), r.reason) for r in found))
    render.show(found, lambda _: text, as_json_=as_json)


@rollout.command()
@click.argument("rollout_id", required=False)
@click.option("--follow", "-f", "following", is_flag=True, help="Show progress until it has ended.")
@remote.control_options
@render.JSON_OPTION
def status(rollout_id: str | None, url: str, token_file: Path | None, *, following: bool, as_json: bool) -> None:
    """Show one rollout. With --follow the exit code says how it ended."""
    control = remote.connect(url, token_file)
    named = rollout_id or latest(control)
    one = follow(control, named, quiet=as_json) if following else control.get(Rollout, f"/rollouts/{named}")
    render.show(one, card, as_json_=as_json)
    if following and not ended_well(one):
        raise RolloutFailed(f"rollout {one.id} of {one.release} ended as {one.state}")


def _action(name: str, text: str, *, on_one: bool = False) -> None:
    """Add the verb that does one thing to a rollout."""

    def act(
        rollout_id: str | None,
        reason: str,
        url: str,
        token_file: Path | None,
        *,
        as_json: bool,
        deployment: str | None = None,
    ) -> None:
        control = remote.connect(url, token_file)
        target = find(control, deployment).id if deployment else None
        body = RolloutAction(action=name, deployment_id=target, reason=reason)
        named = rollout_id or latest(control)
        render.show(control.post(Rollout, f"/rollouts/{named}/actions", body), card, as_json_=as_json)

    made = render.JSON_OPTION(remote.control_options(act))
    made = click.option("--reason", default="", help="Why; it goes into the audit log.")(made)
    if on_one:
        made = click.option("--deployment", required=name == "skip", help="A deployment's id, or its customer.")(made)
    made = click.argument("rollout_id", required=False)(made)
    rollout.command(name, help=text)(made)


_action("pause", "Start no further deployment; those under way end.")
_action("resume", "Go on after a pause or a halt.")
_action("promote", "End the bake of the current wave, and go on to the next.")
_action("approve", "Let the next wave begin, where the policy asks for approval.")
_action("skip", "Leave one deployment out.", on_one=True)
_action("abort", "End the rollout; what is updated stays updated.")
_action("retry", "Try the failed deployments again.", on_one=True)
