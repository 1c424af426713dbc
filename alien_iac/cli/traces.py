"""`alien traces`: how commands, messages and requests went through a deployment's workloads."""

from itertools import islice
from pathlib import Path

import click

from alien_iac.cli import remote, render, telemetry
from alien_iac.cli.finding import find
from alien_iac.protocol.telemetry.answers import Trace, TraceSummary

HEAD = ("TRACE", "BEGAN WITH", "MS", "SPANS", "FAILED", "BEGAN")


@click.command()
@click.argument("deployment")
@click.argument("trace_id", required=False)
@click.option("--name", help="With a span of this name.")
@telemetry.filters
@remote.control_options
@render.JSON_OPTION
def traces(
    deployment: str,
    trace_id: str | None,
    name: str | None,
    workload: str | None,
    since: str,
    limit: int,
    url: str,
    token_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """List the newest traces of DEPLOYMENT, or show the spans of the one with TRACE_ID."""
    control = remote.connect(url, token_file)
    if trace_id is not None:
        found = control.get(Trace, f"/telemetry/traces/{trace_id}")
        render.show(found, telemetry.waterfall, as_json_=as_json)
        return
    asked = telemetry.Filters(workload=workload, since=since, limit=limit)
    query = {**asked.query(find(control, deployment).id), "name": name}
    listed = list(islice(control.pages(TraceSummary, "/telemetry/traces", **query), limit))
    rows = [(t.trace_id, t.name, f"{t.ms:.1f}", t.spans, t.failed or "", render.ago(t.at)) for t in listed]
    render.show(listed, lambda _: render.table(HEAD, rows), as_json_=as_json)
