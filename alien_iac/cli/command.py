"""`alien command`: ask a workload inside a customer's account for something."""

import json
import sys
from pathlib import Path

import click

from alien_iac import errors
from alien_iac.cli import invocation, remote, render
from alien_iac.cli.finding import find
from alien_iac.protocol import arc


@click.group()
def command() -> None:
    """Send a command to a workload, list or cancel commands."""


@command.command()
@click.argument("deployment")
@click.argument("name")
@click.argument("parameters", default="{}")
@click.option("--target", help="The workload, where more than one takes commands.")
@click.option(
    "--timeout", "limit", default="1m", show_default=True, help="How long to wait; the command ends then, too."
)
@click.option("--idempotency-key", help="The same key gives the same command.")
@remote.control_options
@render.JSON_OPTION
def invoke(
    deployment: str,
    name: str,
    parameters: str,
    url: str,
    token_file: Path | None,
    *,
    target: str | None,
    limit: str,
    idempotency_key: str | None,
    as_json: bool,
) -> None:
    """Send command NAME with PARAMETERS (JSON, `-` for standard input) to DEPLOYMENT, and print its result."""
    control = remote.connect(url, token_file)
    text = sys.stdin.read() if parameters == "-" else parameters
    asked = invocation.Asked(find(control, deployment).id, name, text, limit, target, idempotency_key)
    result = invocation.invoke(control, asked)
    render.show(result, lambda value: json.dumps(value, indent=2, ensure_ascii=False), as_json_=as_json)


@command.command()
@click.argument("deployment")
@remote.control_options
@render.JSON_OPTION
def ls(deployment: str, url: str, token_file: Path | None, *, as_json: bool) -> None:
    """List the commands of DEPLOYMENT, newest first."""
    control = remote.connect(url, token_file)
    found = tuple(control.pages(arc.CommandSummary, "/commands", deployment=find(control, deployment).id))
    head = ("ID", "COMMAND", "TARGET", "STATE", "ATTEMPT", "SENT")
    rows = (
        (c.command_id, c.command, c.target.resource_id, c.state, c.attempt, render.ago(c.created_at)) for c in found
    )
    render.show(found, lambda _: render.table(head, rows), as_json_=as_json)


@command.command()
@click.argument("command_id")
@remote.control_options
@render.JSON_OPTION
def cancel(command_id: str, url: str, token_file: Path | None, *, as_json: bool) -> None:
    """Cancel a command that has not ended. A handler that runs is not stopped; its result is dropped."""
    done = remote.connect(url, token_file).post(arc.CommandStatus, f"/commands/{command_id}/cancel")
    render.show(done, lambda one: f"{one.command_id}: {one.state}", as_json_=as_json)
    if done.state == "SUCCEEDED":
        raise errors.Conflict(f"{command_id} had ended already", hint="`alien command ls` shows how")
