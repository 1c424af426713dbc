"""Questions before something is changed: asked on a terminal only, and on standard error."""

import sys
from collections.abc import Sequence

import click

from alien_iac import errors
from alien_iac.cli import render
from alien_iac.protocol.outputs import Kept


def terminal(what: str) -> None:
    """Raises InvalidInput where nobody can answer."""
    if not sys.stdin.isatty():
        raise errors.InvalidInput(f"{what} asks first, and this is not a terminal", hint="say --yes")


def confirm(question: str, what: str) -> None:
    """Ask; a no ends the command. Raises InvalidInput where nobody can answer."""
    terminal(what)
    click.confirm(question, abort=True, err=True)


def kept_text(kept: Sequence[Kept], what: str) -> str:
    """The data that outlives a deployment, as a list. `what` is "stays" or "will stay"."""
    if not kept:
        return f"no data {what}"
    return f"data that {what}:\n{render.table(('KIND', 'ID', 'PLACE'), ((k.type, k.id, k.place) for k in kept))}"
