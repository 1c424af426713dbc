"""`alien demo`: the whole of it on one machine, and an exit code that says whether all of it was seen."""

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from alien_iac.cli import render
from alien_iac.cli.demonstration.postgres import Postgres
from alien_iac.cli.demonstration.story import Story
from alien_iac.cli.demonstration.world import Tell, World, interruptible, opened
from alien_iac.errors import NotFound, RolloutFailed

FOLDER = ".demo"
ENVIRONMENT = {"ALIEN_AGENT_HEARTBEAT_SECONDS": "1", "ALIEN_AGENT_HEALTH_SECONDS": "8"}
"""So that the demo takes a minute: agents show signs of life each second, and do not wait long for a broken release."""


@click.command()
@click.option("--once", is_flag=True, help="End by itself, instead of leaving it running to look at.")
@click.option(
    "--project", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".", help="The clone."
)
@render.JSON_OPTION
def demo(project: Path, *, once: bool, as_json: bool) -> None:
    """Three customers on this machine: release 1, commands, release 2 in waves, and a broken release 3.

    Everything it makes is in the folder .demo, and nothing of it runs when it has ended.
    """
    begun = time.monotonic()
    root = project.resolve()
    with _stage(root, lambda line: click.echo(line, err=as_json)) as story:
        whole = story.tell()
        took = time.monotonic() - begun
        facts = {"seen": [{"what": what, "ok": ok} for what, ok in story.seen], "seconds": round(took)}
        good = sum(ok for _, ok in story.seen)
        text = f"\n{good} of {len(story.seen)} things were seen as they must be, in {took:.0f} s"
        render.show(facts, lambda _: text, as_json_=as_json)
        if whole and not once:
            _stay(story.world)
    if not whole:
        missed = "; ".join(what for what, ok in story.seen if not ok)
        raise RolloutFailed(f"not seen: {missed}", hint=f"the logs are in {root / FOLDER}")


@contextmanager
def _stage(root: Path, tell: Tell) -> Iterator[Story]:
    """The vendor's project, a database server and a control plane, for as long as the story is told."""
    if not (root / "stacks" / "__main__.py").is_file():
        raise NotFound(f"{root} is not the repository of alien-iac", hint="run `make demo` in a clone of it")
    environment = {**ENVIRONMENT, "ALIEN_KEY_PASSPHRASE": secrets.token_urlsafe(16)}
    with interruptible(), opened(root / FOLDER, tell, environment) as world:
        _copy(root, world.project)
        postgres = Postgres(world.processes)
        postgres.start()
        world.serve()
        tell(f"the dashboard is at {world.url}/dashboard/; its token is in {world.environment['ALIEN_TOKEN_FILE']}")
        yield Story(world, postgres)


def _copy(root: Path, target: Path) -> None:
    ignored = shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__")
    shutil.copytree(root / "stacks", target / "stacks", ignore=ignored)
    shutil.copy(root / "Pulumi.yaml", target)


def _stay(world: World) -> None:
    token = world.environment["ALIEN_TOKEN_FILE"]
    click.echo(f"\nlook at {world.url}/dashboard/ (its token is in {token}), and try, in another terminal:")
    click.echo(f"  export ALIEN_CONTROL_PLANE={world.url} ALIEN_TOKEN_FILE={token}")
    click.echo("  .venv/bin/alien deployments ls")
    click.echo("  .venv/bin/alien command invoke acme get-active-users --target worker")
    click.echo("Ctrl-C ends it")
    while all(process.poll() is None for process in world.processes.running.values()):
        time.sleep(0.5)
