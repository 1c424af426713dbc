"""The live picture of an update: what is being done now on a terminal, a line a change elsewhere."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from alien_iac.steps import Observer, Step, quiet

_MARKS = {"create": "+", "update": "~", "delete": "-", "replace": "±", "read": ">", "discard": "<"}


@contextmanager
def shown(title: str, *, silent: bool) -> Iterator[Observer]:
    """An observer of an update that shows it on stderr, so that stdout has the result alone."""
    console = Console(stderr=True)
    if silent:
        yield quiet
    elif not console.is_terminal:
        yield _lines(lambda line: click.echo(line, err=True))
    else:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(title)
            tell = _lines(lambda line: progress.console.print(line, highlight=False, markup=False))

            def observe(step: Step) -> None:
                if step.kind == "begun" and step.operation != "same":
                    progress.update(task, description=f"{title}: {step.operation} {step.name}")
                tell(step)

            yield observe


def _lines(echo: Callable[[str], object]) -> Observer:
    """An observer that prints what was changed, what failed and what was said; each change once."""
    told: set[Step] = set()

    def observe(step: Step) -> None:
        if step.kind == "said" and step.severity in {"warning", "info"}:
            echo(f"  {step.severity}: {step.text}")
        elif step.kind == "failed":
            echo(f"  ! {step.operation} {step.type} {step.name}")
        elif step.kind == "done" and step.operation in _MARKS and step not in told:
            told.add(step)
            echo(f"  {_MARKS[step.operation]} {step.type} {step.name}")

    return observe


def done(changes: Mapping[str, int]) -> str:
    """`{"create": 2, "same": 5}` as "2 created, 5 unchanged"."""
    parts = [f"{count} {operation.removesuffix('e')}ed" for operation, count in changes.items() if operation != "same"]
    return ", ".join([*parts, *([f"{changes['same']} unchanged"] if changes.get("same") else [])]) or "nothing to do"


def counted(changes: Mapping[str, int]) -> str:
    """`{"create": 2, "same": 5}` as "2 to create, 5 unchanged"."""
    parts = [f"{count} to {operation}" for operation, count in changes.items() if operation != "same" and count]
    if changes.get("same"):
        parts.append(f"{changes['same']} unchanged")
    return ", ".join(parts) or "nothing to do"
