"""`alien secret`: the customer gives a secret its value, by standard input or a prompt and never by argv."""

import sys
from pathlib import Path

import click

from alien_iac import errors
from alien_iac.cli import place, render
from alien_iac.models.names import is_id
from alien_iac.plugin.secret import set_value


@click.group()
def secret() -> None:
    """Set the value of a customer's secret."""


@secret.command("set")
@click.argument("name")
@place.place_options
@render.JSON_OPTION
def set_(name: str, customer: str | None, agent_dir: Path | None, project: Path, *, as_json: bool) -> None:
    """Give secret NAME of a deployment on this machine its value, from standard input or a prompt."""
    if not is_id(name):
        raise errors.InvalidInput(f'"{name}" is not the id of a secret', hint="it is the name in alien.Secret(…)")
    layout = place.data(customer, agent_dir, project)
    _check_known(name, customer, agent_dir, project)
    value = _ask(name) if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n")
    if not value:
        raise errors.InvalidInput(f'the value of "{name}" is empty', hint="write it to standard input")
    set_value(layout.secret(name), layout.secret_key, value.encode())
    render.show(
        {"secret": name, "set": True},
        lambda _: f"{name} is set; workloads read it when they next ask",
        as_json_=as_json,
    )


def _check_known(name: str, customer: str | None, agent_dir: Path | None, project: Path) -> None:
    """Refuse a name that the deployment does not have. Before its first update any name is taken."""
    try:
        known = place.outputs(customer, agent_dir, project).secrets
    except errors.NotFound:
        return
    if name not in known:
        listed = ", ".join(sorted(known)) or "none"
        raise errors.NotFound(f'there is no secret "{name}" in this deployment', hint=f"it has: {listed}")


def _ask(name: str) -> str:
    value: str = click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True, err=True)
    return value
