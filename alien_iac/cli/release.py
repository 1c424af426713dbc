"""`alien release`: check, build, sign, record, and roll out, with live progress until the rollout ends."""

from pathlib import Path

import click

from alien_iac import projects
from alien_iac.cli import remote, render, shipping, vendor
from alien_iac.cli.progress import ended_well, follow
from alien_iac.cli.rollout import card
from alien_iac.cli.token import parse_labels
from alien_iac.errors import RolloutFailed
from alien_iac.packaging.release import DEFAULT
from alien_iac.protocol.api import NewRollout, Rollout
from alien_iac.rollout import policy as policies


@click.command()
@click.argument("version")
@click.option(
    "--platform", "platforms", multiple=True, help="Platform to build for; may be repeated; default: all in use."
)
@click.option(
    "--policy", "policy_file", type=click.Path(exists=True, path_type=Path), help="Default: rollout.yaml, if any."
)
@click.option("--select", "selector", multiple=True, metavar="KEY=VALUE", help="Only deployments with this label.")
@click.option("--reason", default="", help="Why; it goes into the audit log.")
@click.option("--no-rollout", is_flag=True, help="Record the release, and roll nothing out.")
@click.option("--detach", is_flag=True, help="Do not wait for the rollout's end.")
@vendor.vendor_options
@remote.control_options
@render.JSON_OPTION
def release(
    version: str,
    platforms: tuple[str, ...],
    policy_file: Path | None,
    selector: tuple[str, ...],
    reason: str,
    project: Path,
    url: str,
    token_file: Path | None,
    *,
    no_rollout: bool,
    detach: bool,
    as_json: bool,
) -> None:
    """Release VERSION of the project's stack program, and roll it out as rollout.yaml says.

    Exit code 0 only when every deployment that can be reached has it.
    """
    control = remote.connect(url, token_file)
    root = projects.find(project).folder
    policy, labels = (
        _policy(policy_file or root / "rollout.yaml", asked=policy_file is not None),
        parse_labels(selector),
    )
    work = shipping.Shipment(control, root, vendor.folder_of(project), quiet=as_json)
    shipped = work.ship(version, platforms or shipping.in_use(control) or DEFAULT)
    if no_rollout:
        render.show(shipped, lambda one: f"{one.version} is recorded (sequence {one.sequence})", as_json_=as_json)
        return
    data = policy.model_dump(mode="json", exclude_defaults=True)
    body = NewRollout(release=version, policy=data, selector=labels, reason=reason)
    one = control.post(Rollout, "/rollouts", body)
    one = one if detach else follow(control, one.id, quiet=as_json)
    render.show(one, card, as_json_=as_json)
    if not detach and not ended_well(one):
        raise RolloutFailed(
            f"rollout {one.id} of {version} ended as {one.state}", hint="`alien rollout status` says why"
        )


def _policy(path: Path, *, asked: bool) -> policies.Policy:
    return policies.load(path) if asked or path.is_file() else policies.Policy()
