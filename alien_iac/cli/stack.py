"""`alien preview`, `up` and `destroy`: one deployment, by hand, from the project on this machine."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from alien_iac import automation, projects
from alien_iac.cli import questions, render, steps
from alien_iac.models.platform import Platform
from alien_iac.plugin.supervisor import ensure_running
from alien_iac.protocol.outputs import KEY, Workload

F = TypeVar("F", bound=Callable[..., Any])


def _project(command: F) -> F:
    folder = click.option(
        "--project",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=".",
        help="Folder of the project, or one in it.",
    )
    parallel = click.option("--parallel", default=automation.PARALLEL, show_default=True, help="Resources at once.")
    return folder(parallel(command))


_YES = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
_TARGETS = click.option("--target", "targets", multiple=True, help="Only this resource (a URN); may be repeated.")


@click.command()
@click.argument("customer")
@_TARGETS
@click.option("--refresh", is_flag=True, help="Look first at what really exists.")
@_project
@render.JSON_OPTION
def preview(
    customer: str, project: Path, parallel: int, targets: tuple[str, ...], *, refresh: bool, as_json: bool
) -> None:
    """Show what an update would do to the deployment of CUSTOMER; nothing is changed."""
    stack = automation.open_stack(project, customer)
    with steps.shown(f"preview of {customer}", silent=as_json) as observe:
        flags = {"target": list(targets) or None, "refresh": refresh}
        outcome = automation.preview(stack, observe=observe, parallel=parallel, **flags)
    _show(outcome, as_json=as_json, title=steps.counted(outcome.changes))


@click.command()
@click.argument("customer")
@_YES
@_TARGETS
@click.option("--refresh", is_flag=True, help="Look first at what really exists.")
@_project
@render.JSON_OPTION
def up(
    customer: str, project: Path, parallel: int, targets: tuple[str, ...], *, yes: bool, refresh: bool, as_json: bool
) -> None:
    """Bring the deployment of CUSTOMER to what the stack program says."""
    stack = automation.open_stack(project, customer)
    flags = {"target": list(targets) or None, "refresh": refresh}
    if not yes:
        questions.terminal("update")
        with steps.shown(f"preview of {customer}", silent=as_json) as observe:
            planned = automation.preview(stack, observe=observe, parallel=parallel, **flags)
        questions.confirm(f"{steps.counted(planned.changes)}. Update {customer}?", "update")
    with steps.shown(f"update of {customer}", silent=as_json) as observe:
        outcome = automation.up(stack, observe=observe, parallel=parallel, **flags)
    _keep_up(outcome, project, customer)
    _show(outcome, as_json=as_json, title=f"{customer} is up to date: {steps.done(outcome.changes)}")


@click.command()
@click.argument("customer")
@_YES
@_project
@render.JSON_OPTION
def cancel(customer: str, project: Path, parallel: int, *, yes: bool, as_json: bool) -> None:
    """Remove the lock of an update of CUSTOMER whose process is dead. One that still runs would be disturbed."""
    del parallel
    stack = automation.open_stack(project, customer)
    if not yes:
        questions.confirm(f"Is the update of {customer} dead? Remove its lock?", "cancel")
    automation.cancel(stack)
    render.show({"cancelled": customer}, lambda _: f"the lock of {customer} is removed", as_json_=as_json)


@click.command()
@click.argument("customer")
@_YES
@_project
@render.JSON_OPTION
def destroy(customer: str, project: Path, parallel: int, *, yes: bool, as_json: bool) -> None:
    """Take the deployment of CUSTOMER down. Its data stays, and is listed before and after."""
    stack = automation.open_stack(project, customer)
    kept = automation.kept(stack)
    if not yes:
        click.echo(questions.kept_text(kept, "will stay"), err=True)
        questions.confirm(f"Take {customer} down?", "destroy")
    with steps.shown(f"taking {customer} down", silent=as_json) as observe:
        outcome = automation.destroy(stack, observe=observe, parallel=parallel)
    result = {"changes": dict(outcome.changes), "kept": kept}
    text = f"{customer} is down\n{questions.kept_text(kept, 'stays')}" if outcome.changes else f"{customer} was down"
    render.show(result, lambda _: text, as_json_=as_json)


def _keep_up(outcome: automation.Outcome, project: Path, customer: str) -> None:
    """What did not change is not looked at by an update; on `local`, where no agent does it, its processes are here."""
    if outcome.deployment and outcome.deployment.platform == Platform.LOCAL:
        ensure_running(projects.local_dir(project, customer))


def _show(outcome: automation.Outcome, *, as_json: bool, title: str) -> None:
    result = {"changes": dict(outcome.changes), "outputs": dict(outcome.outputs), "messages": outcome.messages}
    lines = [title, *_workloads(outcome), *_outputs(outcome.outputs)]
    render.show(result, lambda _: "\n".join(lines), as_json_=as_json)


def _workloads(outcome: automation.Outcome) -> list[str]:
    """Where each workload is reached, from outside where it is public and on this machine otherwise."""
    told = outcome.deployment
    rows = [(one.id, one.type, _address(one)) for one in told.workloads] if told else []
    rows.sort()
    return [render.table(("WORKLOAD", "TYPE", "ADDRESS"), rows)] if rows else []


def _address(workload: Workload) -> str:
    places = (workload.public_url or "", workload.invoke.url if workload.invoke else "", workload.health.url)
    parts = urlsplit(next((place for place in places if place), ""))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _outputs(found: Mapping[str, Any]) -> list[str]:
    return [f"  {name}: {value}" for name, value in found.items() if name != KEY]
