"""`alien logs`: what workloads logged: on this machine, or in a deployment as far as its customer lets it out."""

from collections.abc import Iterator
from pathlib import Path

import click

from alien_iac import errors
from alien_iac.cli import place, remote, render, telemetry
from alien_iac.cli.finding import find
from alien_iac.plugin import logs as files
from alien_iac.protocol.telemetry.answers import Followed, LogLine


@click.command()
@click.argument("workload", required=False)
@click.option("--deployment", help="A deployment by its id or customer, from the control plane.")
@click.option(
    "--lines", "-n", default=50, show_default=True, type=click.IntRange(0), help="How many of the last lines."
)
@click.option("--follow", "-f", "following", is_flag=True, help="Go on with each new line.")
@click.option(
    "--since", default="1h", show_default=True, help="With --deployment: from when on (15m, 2h, 3d, an instant)."
)
@click.option("--level", type=click.Choice(list(telemetry.SEVERITIES)), help="With --deployment: the lowest severity.")
@click.option("--trace", help="With --deployment: of this trace only.")
@place.place_options
@remote.optional_control_options
@render.JSON_OPTION
def logs(
    workload: str | None,
    deployment: str | None,
    lines: int,
    since: str,
    level: str | None,
    trace: str | None,
    customer: str | None,
    agent_dir: Path | None,
    project: Path,
    url: str | None,
    token_file: Path | None,
    *,
    following: bool,
    as_json: bool,
) -> None:
    """Show the log of WORKLOAD on this machine (--customer, --dir), or of a deployment anywhere (--deployment)."""
    if deployment is None:
        for line in _local(workload, place.data(customer, agent_dir, project).root, lines, following=following):
            click.echo(render.as_json({"workload": workload, "line": line}) if as_json else line)
        return
    control = remote.connect(url, token_file)
    asked = telemetry.Filters(workload=workload, since=since, limit=max(lines, 1))
    query = {
        **asked.query(find(control, deployment).id),
        "trace": trace,
        "severity": telemetry.SEVERITIES.get(level or ""),
    }
    for found in _remote(control, query, lines, following=following):
        click.echo(render.as_json(found) if as_json else telemetry.log_text(found))


def _local(workload: str | None, root: Path, lines: int, *, following: bool) -> Iterator[str]:
    if workload is None:
        raise errors.InvalidInput("which workload?", hint="name it, or a deployment with --deployment")
    return files.follow(root, workload, lines) if following else iter(files.tail(root, workload, lines))


def _remote(control: remote.Remote, query: dict[str, object], lines: int, *, following: bool) -> Iterator[LogLine]:
    newest: list[LogLine] = []
    for line in control.pages(LogLine, "/telemetry/logs", **query) if lines else ():
        newest.append(line)
        if len(newest) >= lines:
            break
    yield from reversed(newest)
    after = newest[0].number if newest else None
    while following:
        found = control.get(Followed, "/telemetry/logs/follow", **{**query, "after": after, "wait": remote.HOLD_S})
        yield from found.items
        after = found.after
