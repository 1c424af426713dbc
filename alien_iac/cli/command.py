"""`alien command`: ask a workload inside a customer's account for something."""

import json
import sys
from itertools import islice
from pathlib import Path
from typing import get_args

import click

from alien_iac import errors
from alien_iac.cli import invocation, remote, render
from alien_iac.cli.finding import find
from alien_iac.client.flows import Options
from alien_iac.protocol import arc

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Send a command to a workload, show, list or cancel commands."""


@command.command()
@click.argument("deployment")
@click.argument("name")
@click.argument("parameters", default="{}")
@click.option("--target", help="The workload, where more than one takes commands.")
@click.option(
    "--timeout", "limit", default="1m", show_default=True, help="How long to wait; the command ends then, too."
)
@click.option("--attempts", type=click.IntRange(1, 100), help="How often it may be delivered (5).")
@click.option(
    "--priority",
    type=click.IntRange(-arc.HIGHEST_PRIORITY, arc.HIGHEST_PRIORITY),
    default=0,
    help="A higher one is delivered first (0).",
)
@click.option("--idempotency-key", help="The same key gives the same command.")
@click.option("--signer", "signer", help="Sign it as this sender, whom the customer knows.")
@click.option("--signing-key", type=_FILE, help="File with the sender's private key (Ed25519, PEM).")
@click.option("--no-wait", is_flag=True, help="Print the command's id, and do not wait.")
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
    attempts: int | None,
    priority: int,
    idempotency_key: str | None,
    signer: str | None,
    signing_key: Path | None,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Send command NAME with PARAMETERS (JSON, `-` for standard input) to DEPLOYMENT, and print its result.

    An interrupt cancels the command. How it stands is shown on standard error.
    """
    seconds = invocation.seconds(limit)
    given = {"target": target, "attempts": attempts, "idempotency_key": idempotency_key}
    options = Options(timeout=seconds, priority=priority, **{k: v for k, v in given.items() if v is not None})  # type: ignore[typeddict-item] # keys as they are
    data = invocation.parameters(sys.stdin.read() if parameters == "-" else parameters)
    control = remote.connect(url, token_file)
    with control.commands(invocation.signer(signer, signing_key)) as commands:
        command_id = commands.send(find(control, deployment).id, name, data, **options)
        if no_wait:
            render.show({"commandId": command_id}, lambda _: command_id, as_json_=as_json)
            return
        result = invocation.follow(commands, command_id, seconds, quiet=as_json)
    render.show(result, _text, as_json_=as_json)


def _text(result: object) -> str:
    return json.dumps(result, indent=2, ensure_ascii=False)


@command.command()
@click.argument("command_id")
@remote.control_options
@render.JSON_OPTION
def show(command_id: str, url: str, token_file: Path | None, *, as_json: bool) -> None:
    """Show how a command is, and its result where it has one."""
    with remote.connect(url, token_file).commands() as commands:
        status = commands.status(command_id)
        has_result = status.state == "SUCCEEDED"
        result = commands.result(command_id) if has_result else None
    facts = status.dump() | ({"result": result} if has_result else {})
    lines = [invocation.stands(status), *([_text(result)] if has_result else [])]
    render.show(facts, lambda _: "\n".join(lines), as_json_=as_json)


@command.command()
@click.argument("deployment")
@click.option("--state", type=click.Choice(get_args(arc.State), case_sensitive=False), help="Those in this state.")
@click.option("--last", default=100, show_default=True, help="How many of the newest.")
@remote.control_options
@render.JSON_OPTION
def ls(
    deployment: str, url: str, token_file: Path | None, *, state: arc.State | None, last: int, as_json: bool
) -> None:
    """List the commands of DEPLOYMENT, newest first."""
    control = remote.connect(url, token_file)
    with control.commands() as commands:
        found = tuple(islice(commands.ls(find(control, deployment).id, state), last))
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
    with remote.connect(url, token_file).commands() as commands:
        done = commands.cancel(command_id)
    render.show(done, lambda one: f"{one.command_id}: {invocation.stands(one)}", as_json_=as_json)
    if done.state == "SUCCEEDED":
        raise errors.Conflict(f"{command_id} had ended already", hint="`alien command ls` shows how")
