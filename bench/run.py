"""Measure against the targets and print one table: bench/run.py [NAME...].

Each figure stands beside something that ran in the same minute on the same machine: bare Python, a bare skeleton of the
same writes, or the Pulumi CLI where there is one. `make bench` runs all of them.
"""

import sys
from collections.abc import Callable, Iterable, Mapping

from rich.console import Console
from rich.table import Table

import commands
import imports
import polls
import reviews
import rollouts
import telemetry
import updates
from figure import Figure

PARTS: Mapping[str, Callable[[], Iterable[Figure]]] = {
    "imports": imports.measure,
    "reviews": reviews.measure,
    "updates": updates.measure,
    "commands": commands.measure,
    "polls": polls.measure,
    "rollouts": rollouts.measure,
    "telemetry": telemetry.measure,
}


def main(names: list[str]) -> int:
    """Run the named parts (all by default). Returns 1 where a target is missed."""
    unknown = sorted(set(names) - set(PARTS))
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    figures = [figure for name in names or PARTS for figure in PARTS[name]()]
    table = Table("what", "measured", "target", "")
    for one in figures:
        table.add_row(one.what, one.measured, one.target, _mark(one))
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return int(any(one.met is False for one in figures))


def _mark(figure: Figure) -> str:
    if figure.met is None:
        return "[dim]nothing to compare with[/]" if figure.target else "[dim]no target[/]"
    return "[green]met[/]" if figure.met else "[red]missed[/]"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
