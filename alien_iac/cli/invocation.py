"""One command from the vendor's terminal: sent, followed until it ends, cancelled where nobody waits any more."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from alien_iac import errors
from alien_iac.client import Commands, Signer
from alien_iac.client.flows import GRACE_S, Watch
from alien_iac.models.units import parse_seconds
from alien_iac.protocol import arc


def seconds(limit: str) -> int:
    """The time of a command. Raises InvalidInput for what is no duration."""
    try:
        return parse_seconds(limit)
    except ValueError as error:
        raise errors.InvalidInput(f"--timeout: {error}") from error


def parameters(text: str) -> Any:
    """Parameters as they were typed. Raises InvalidInput for what is not JSON."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise errors.InvalidInput(
            f"the parameters are not JSON: {error}", hint="""write them as '{"limit": 5}'"""
        ) from error


def signer(name: str | None, key: Path | None) -> Signer | None:
    """Who signs, where somebody does. Raises InvalidInput where the name or the key is missing."""
    if name is None and key is None:
        return None
    if name is None or key is None:
        raise errors.InvalidInput("a signature needs a name and a key", hint="give both --signer and --signing-key")
    return Signer.from_pem(name, key.read_bytes())


def follow(commands: Commands, command_id: str, limit: float, *, quiet: bool) -> Any:
    """The result of a command. Whoever interrupts this does not want it any more: it is cancelled."""
    try:
        with _shown(command_id, quiet=quiet) as watch:
            return commands.result(command_id, limit + GRACE_S, watch)
    except KeyboardInterrupt:
        click.echo(_cancelled(commands, command_id), err=True)
        raise


def _cancelled(commands: Commands, command_id: str) -> str:
    try:
        return f"{command_id}: {stands(commands.cancel(command_id))}"
    except errors.AlienError as error:
        return f"{command_id} goes on: {error.message}"


def stands(status: arc.CommandStatus) -> str:
    """How a command is, in a few words."""
    code = f" ({status.response.code})" if isinstance(status.response, arc.Failure) else ""
    return f"{status.state}{code}, attempt {status.attempt}"


@contextmanager
def _shown(command_id: str, *, quiet: bool) -> Iterator[Watch | None]:
    """What shows the command on its way, on standard error: a live line on a terminal, a line a change elsewhere."""
    console = Console(stderr=True)
    if quiet:
        yield None
    elif console.is_terminal:
        with console.status(f"{command_id} is sent") as line:
            yield lambda found: line.update(f"{command_id}: {stands(found)}")
    else:
        told: set[str] = set()

        def tell(found: arc.CommandStatus) -> None:
            now = stands(found)
            if now not in told:
                told.add(now)
                click.echo(f"{command_id}: {now}", err=True)

        yield tell
