"""`alien token`: codes that enrol a customer's agent, and tokens for people and programs."""

from pathlib import Path

import click

from alien_iac import errors, projects
from alien_iac.cli import remote, render
from alien_iac.models.units import parse_seconds
from alien_iac.protocol.api import EnrolmentCode, NewDeployment, NewToken, TokenMade, TokenRow


@click.group()
def token() -> None:
    """Enrol a customer, make, list or revoke tokens."""


@token.command()
@click.argument("customer")
@click.option(
    "--platform",
    type=click.Choice(["aws", "gcp", "azure", "local"]),
    required=True,
    help="Where the customer runs it.",
)
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="What waves select on; may be repeated.")
@remote.control_options
@render.JSON_OPTION
def enrol(
    customer: str, platform: str, labels: tuple[str, ...], url: str, token_file: Path | None, *, as_json: bool
) -> None:
    """Make a deployment for CUSTOMER, and the one-time code that enrols its agent."""
    projects.check_customer(customer)
    body = NewDeployment(customer=customer, platform=platform, labels=parse_labels(labels))
    made = remote.connect(url, token_file).post(EnrolmentCode, "/enrolment-codes", body)
    text = f"{made.deployment_id}\ncode: {made.code}\ngood until {made.expires_at:%Y-%m-%d %H:%M} UTC, once"
    render.show(made, lambda _: text, as_json_=as_json)


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["send", "read", "receive", "telemetry", "admin"]),
    required=True,
    help="What it may do; may be repeated.",
)
@click.option("--deployment", help="Only for this deployment (its id).")
@click.option("--target", metavar="WORKLOAD", help="With receive: the workload whose commands it may take.")
@click.option("--lasts", help="How long it is good, such as 30d; without it, until it is revoked.")
@remote.control_options
@render.JSON_OPTION
def make(
    name: str,
    scopes: tuple[str, ...],
    deployment: str | None,
    target: str | None,
    lasts: str | None,
    url: str,
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make a token. It is shown once, and stored as a hash."""
    body = NewToken.model_validate(
        {"name": name, "scopes": scopes, "deploymentId": deployment, "target": target, "ttlSeconds": _seconds(lasts)}
    )
    made = remote.connect(url, token_file).post(TokenMade, "/auth/tokens", body)
    render.show(made, lambda one: one.token, as_json_=as_json)


@token.command()
@remote.control_options
@render.JSON_OPTION
def ls(url: str, token_file: Path | None, *, as_json: bool) -> None:
    """List the tokens, without what they are."""
    found = tuple(remote.connect(url, token_file).pages(TokenRow, "/auth/tokens"))
    head = ("ID", "NAME", "SCOPES", "DEPLOYMENT", "USED", "EXPIRES", "REVOKED")
    rows = [
        (
            t.id,
            t.name,
            " ".join(t.scopes),
            t.deployment_id,
            render.ago(t.last_used),
            t.expires_at,
            "yes" if t.revoked else "",
        )
        for t in found
    ]
    render.show(found, lambda _: render.table(head, rows), as_json_=as_json)


@token.command()
@click.argument("token_id")
@remote.control_options
@render.JSON_OPTION
def revoke(token_id: str, url: str, token_file: Path | None, *, as_json: bool) -> None:
    """Revoke a token, from now on."""
    remote.connect(url, token_file).call("DELETE", f"/auth/tokens/{token_id}")
    render.show({"revoked": token_id}, lambda _: f"{token_id} is revoked", as_json_=as_json)


def _seconds(lasts: str | None) -> int | None:
    try:
        return parse_seconds(lasts) if lasts else None
    except ValueError as error:
        raise errors.InvalidInput(f"--lasts: {error}") from error


def parse_labels(words: tuple[str, ...]) -> dict[str, str]:
    """`("tier=gold",)` as a dict. Raises InvalidInput with all that are not KEY=VALUE."""
    wrong = [word for word in words if "=" not in word]
    if wrong:
        raise errors.InvalidInput(f"not KEY=VALUE: {', '.join(wrong)}", hint="write a label as --label tier=gold")
    return dict(word.split("=", 1) for word in words)
