"""`alien agent`: the customer's side of a deployment."""

import os
from pathlib import Path
from typing import TextIO

import click

from alien_iac import errors
from alien_iac.agent import run as running
from alien_iac.agent.enrol import enrol as enrol_agent
from alien_iac.agent.logs import to_stderr
from alien_iac.agent.place import Place, read_identity
from alien_iac.agent.store import Store
from alien_iac.cli import render

_DIR = click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    envvar="ALIEN_AGENT_DIR",
    help="The agent's folder.",
)


@click.group()
def agent() -> None:
    """Enrol and run the agent of a deployment, approve releases, read its log of commands."""


@agent.command()
@click.option("--control-plane", "url", envvar="ALIEN_CONTROL_PLANE", required=True, help="URL of the control plane.")
@click.option("--code-file", type=click.File(), help="File with the one-time code (`-`: standard input).")
@_DIR
@render.JSON_OPTION
def enrol(url: str, code_file: TextIO | None, folder: Path, *, as_json: bool) -> None:
    """Make the agent's folder with the vendor's one-time code (asked for, or from a file, or ALIEN_ENROLMENT_CODE)."""
    code = (
        code_file.read()
        if code_file
        else os.environ.get("ALIEN_ENROLMENT_CODE") or click.prompt("Code", hide_input=True)
    )
    identity = enrol_agent(url, str(code).strip(), folder)
    text = f"{identity.customer} is enrolled as {identity.deployment_id}\nrun it: alien agent run --dir {folder}"
    render.show(identity, lambda _: text, as_json_=as_json)


@agent.command()
@_DIR
@render.JSON_OPTION
def run(folder: Path, *, as_json: bool) -> None:
    """Run the agent until it is told to end. It logs to standard error."""
    to_stderr(os.environ.get("ALIEN_LOG", "INFO"))
    running.run(folder, running.settings(os.environ))
    if as_json:
        click.echo(render.as_json({"ended": True}))


@agent.command()
@_DIR
@render.JSON_OPTION
def approve(folder: Path, *, as_json: bool) -> None:
    """Approve the release that waits for your say; the running agent applies it."""
    store = _store(folder)
    try:
        waiting = store.waiting
        if waiting is None:
            raise errors.NotFound("no release waits for approval", hint="`alien agent log` shows what was done")
        store.approve(waiting.revision)
    finally:
        store.close()
    text = f"{waiting.release} is approved"
    render.show({"approved": waiting.release, "revision": waiting.revision}, lambda _: text, as_json_=as_json)


@agent.command()
@click.option("--last", default=100, show_default=True, help="How many of the last commands.")
@_DIR
@render.JSON_OPTION
def log(last: int, folder: Path, *, as_json: bool) -> None:
    """Show the customer's own log of commands: which, when, and how they ended. It holds no parameters or results."""
    store = _store(folder)
    try:
        lines = store.command_log(last)
    finally:
        store.close()
    head = ("WHEN", "COMMAND", "TARGET", "ATTEMPT", "OUTCOME")
    rows = [(line.at, line.command, line.target, line.attempt, line.outcome) for line in lines]
    render.show(lines, lambda _: render.table(head, rows), as_json_=as_json)


def _store(folder: Path) -> Store:
    place = Place(folder.resolve())
    read_identity(place)
    return Store(place.state)
