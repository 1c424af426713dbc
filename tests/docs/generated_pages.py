"""Pages that are written from the code: `make golden` writes them anew."""

from collections.abc import Callable, Iterator, Mapping

import click

from alien_iac import cli, errors
from alien_iac.checks.catalogue import CATALOGUE
from alien_iac.errors import AlienError

WIDTH = 100
_NOTE = "<!-- Written by `make golden`. Do not edit it here. -->\n"


def findings() -> str:
    """Every finding of the checks."""
    rows = [f"| `{code}` | {entry.severity} | {entry.meaning} |" for code, entry in CATALOGUE.items()]
    head = "# Findings\n\nWhat the checks of a stack can say. An error stops an update before anything is created.\n"
    return "\n".join([_NOTE + head, "| code | severity | means |", "|---|---|---|", *rows, ""])


def error_codes() -> str:
    """Every error, with its codes."""
    head = (
        "# Errors and exit codes\n\nAll are in `alien_iac.errors`. An error says where, what, and what next; none "
        "holds a secret. With `--json` it is printed as `code`, `message`, `hint`, `retryable` and `context`, and the "
        "API gives the same.\n"
    )
    rows = [
        f"| `{kind.__name__}` | `{kind.code}` | {kind.exit_code} | {kind.http_status} | "
        f"{'yes' if kind.retryable else 'no'} | {_first_line(kind.__doc__)} |"
        for kind in _tree(AlienError)
    ]
    table = ["| error | code | exit | HTTP | try again | means |", "|---|---|---|---|---|---|", *rows]
    rest = (
        "\nOther exit codes: 0 done; 1 a mistake of ours, with a traceback; 2 also for a wrong command line; "
        "130 interrupted.\n"
    )
    return "\n".join([_NOTE + head, *table, rest])


def verbs() -> str:
    """Every verb, as its own help says it."""
    head = "# Verbs of `alien`\n\nEvery verb takes `--json`. Exit codes are in [errors.md](errors.md).\n"
    parts = [f"## {' '.join(path)}\n\n```text\n{_help(path, command)}\n```\n" for path, command in leaves()]
    return "\n".join([_NOTE + head, *parts])


def leaves(
    command: click.Command = cli.cli, path: tuple[str, ...] = ("alien",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that name it."""
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield path, command
    if not isinstance(command, click.Group):
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        if child := command.get_command(context, name):
            yield from leaves(child, (*path, name))


PAGES: Mapping[str, Callable[[], str]] = {"cli.md": verbs, "errors.md": error_codes, "findings.md": findings}


def _help(path: tuple[str, ...], command: click.Command) -> str:
    name = " ".join(path[1:])
    context = click.Context(command, parent=top(), info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
    return command.get_help(context).rstrip()


def top() -> click.Context:
    """The context of `alien` itself, with its settings."""
    return click.Context(cli.cli, info_name="alien", **cli.cli.context_settings)


def _tree(kind: type[AlienError]) -> Iterator[type[AlienError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child)


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0].replace("|", "\\|")
