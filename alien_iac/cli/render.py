"""How results are shown: as text for a person, as JSON for a program."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from pydantic import BaseModel

T = TypeVar("T")

JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def plain(value: object) -> Any:
    """A model, or a container of models, as JSON-ready data."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def as_json(value: object) -> str:
    """A result as `--json` prints it."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False, default=str)


def show(value: T, text: Callable[[T], str], *, as_json_: bool) -> None:
    """Print a result: JSON where it was asked for, otherwise what `text` makes of it."""
    click.echo(as_json(value) if as_json_ else text(value))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows under a head, columns as wide as their widest cell."""
    cells = [[*head], *([("" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines)


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, in the largest whole unit: `12s ago`, `3h ago`."""
    if moment is None:
        return "never"
    seconds = int(((now or datetime.now(UTC)) - moment).total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return f"{max(seconds, 0)}s ago"
