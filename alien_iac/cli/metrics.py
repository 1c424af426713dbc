"""`alien metrics`: what a deployment's workloads count and measure."""

from itertools import islice
from pathlib import Path

import click

from alien_iac.cli import remote, render, telemetry
from alien_iac.cli.finding import find
from alien_iac.protocol.telemetry.answers import Point

HEAD = ("METRIC", "WORKLOAD", "ATTRIBUTES", "VALUE", "COUNT", "AT")
_LOOKED_AT = 2_000


@click.command()
@click.argument("deployment")
@click.argument("name", required=False)
@click.option("--history", is_flag=True, help="Every point, newest first, not only the newest of each series.")
@telemetry.filters
@remote.control_options
@render.JSON_OPTION
def metrics(
    deployment: str,
    name: str | None,
    workload: str | None,
    since: str,
    limit: int,
    url: str,
    token_file: Path | None,
    *,
    history: bool,
    as_json: bool,
) -> None:
    """Show the metrics of DEPLOYMENT, or the one with NAME. A histogram's value is the sum of what it measured."""
    control = remote.connect(url, token_file)
    asked = telemetry.Filters(workload=workload, since=since, limit=limit if history else _LOOKED_AT)
    query = {**asked.query(find(control, deployment).id), "name": name}
    found = list(islice(control.pages(Point, "/telemetry/metrics", **query), limit if history else _LOOKED_AT))
    shown = found if history else telemetry.newest(found)[:limit]
    render.show(shown, lambda points: render.table(HEAD, map(telemetry.point_row, points)), as_json_=as_json)
