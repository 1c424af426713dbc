"""`alien logs`: what a workload on this machine wrote."""

from pathlib import Path

import click

from alien_iac.cli import place, render
from alien_iac.plugin import logs as files


@click.command()
@click.argument("workload")
@click.option("--lines", "-n", default=50, show_default=True, help="How many of the last lines.")
@click.option("--follow", "-f", "following", is_flag=True, help="Go on with each new line.")
@place.place_options
@render.JSON_OPTION
def logs(
    workload: str,
    customer: str | None,
    agent_dir: Path | None,
    project: Path,
    lines: int,
    *,
    following: bool,
    as_json: bool,
) -> None:
    """Show the log of WORKLOAD of a deployment on this machine."""
    root = place.data(customer, agent_dir, project).root
    found = files.follow(root, workload, lines) if following else iter(files.tail(root, workload, lines))
    for line in found:
        click.echo(render.as_json({"workload": workload, "line": line}) if as_json else line)
