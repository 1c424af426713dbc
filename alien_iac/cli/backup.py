"""`alien serve ... backup` and `alien serve ... restore`: the control plane as one file."""

from pathlib import Path

import click

from alien_iac.cli import render
from alien_iac.control import archives
from alien_iac.control.settings import Settings


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@render.JSON_OPTION
@click.pass_obj
def backup(settings: Settings, file: Path, *, as_json: bool) -> None:
    """Write all that the control plane keeps, of one instant, to FILE. It may run meanwhile."""
    size = archives.backup(settings, file)
    render.show({"file": str(file), "bytes": size}, lambda _: f"{file}: {size:,} bytes", as_json_=as_json)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@render.JSON_OPTION
@click.pass_obj
def restore(settings: Settings, file: Path, *, as_json: bool) -> None:
    """Make a control plane from FILE, in an empty folder (and an empty database). Open commands end as RESTORED."""
    at, ended = archives.restore(settings, file)
    facts = {"at": at.isoformat(), "commandsEnded": ended}
    render.show(facts, lambda _: f"restored as of {at.isoformat()}; {ended} open commands ended", as_json_=as_json)
