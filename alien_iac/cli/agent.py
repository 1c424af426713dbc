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
from alien_iac.agent.takedown import take_down
from alien_iac.cli import questions, render

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
@_DIR
@render.JSON_OPTION
def show(folder: Path, *, as_json: bool) -> None:
    """Show which release runs here, what waits, and where the workloads are."""
    identity, store = read_identity(Place(folder.resolve())), _store(folder)
    try:
        release, waiting, outputs = store.current, store.waiting, store.outputs
    finally:
        store.close()
    facts = {
        "customer": identity.customer,
        "deployment": identity.deployment_id,
        "controlPlane": identity.control_plane,
        "release": release.version if release else None,
        "waiting": waiting.reason if waiting else None,
        "outputs": outputs,
    }
    lines = [f"{key}: {value}" for key, value in facts.items() if value is not None and key != "outputs"]
    workloads = [(w.id, w.type, w.public_url) for w in outputs.workloads] if outputs else []
    text = "\n".join([*lines, render.table(("WORKLOAD", "TYPE", "PUBLIC URL"), workloads)])
    render.show(facts, lambda _: text, as_json_=as_json)


@agent.command()
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@_DIR
@render.JSON_OPTION
def destroy(folder: Path, *, yes: bool, as_json: bool) -> None:
    """Take the deployment down by the customer's own hand, while its agent does not run. Its data stays."""
    identity = read_identity(Place(folder.resolve()))
    if not yes:
        questions.confirm(f"Take the deployment of {identity.customer} down?", "destroy")
    kept = take_down(folder)
    render.show({"kept": kept}, lambda _: questions.kept_text(kept, "stays"), as_json_=as_json)


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
    head = ("WHEN", "COMMAND", "TARGET", "ATTEMPT", "OUTCOME", "SIGNED BY")
    rows = [(f"{line.at:%F %T}", line.command, line.target, line.attempt, line.outcome, line.signer) for line in lines]
    render.show(lines, lambda _: render.table(head, rows), as_json_=as_json)


def _store(folder: Path) -> Store:
    place = Place(folder.resolve())
    read_identity(place)
    return Store(place.state)
