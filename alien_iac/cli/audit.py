"""`alien audit`: who did what, when and why, in a chain that shows whether it was touched."""

from pathlib import Path

import click

from alien_iac import errors
from alien_iac.cli import remote, render
from alien_iac.protocol.api import AuditCheck, AuditEntry

_NOTED = 2  # the entry's number and its hash
HEAD = ("#", "WHEN", "WHO", "WHAT", "ON", "REASON")


@click.group()
def audit() -> None:
    """Read the audit log and verify its chain."""


@audit.command()
@remote.control_options
@render.JSON_OPTION
def ls(url: str, token_file: Path | None, *, as_json: bool) -> None:
    """Show the log, newest first."""
    found = tuple(remote.connect(url, token_file).pages(AuditEntry, "/audit"))
    rows = [(e.number, e.at.isoformat(timespec="seconds"), e.actor, e.action, e.subject, e.reason) for e in found]
    render.show(found, lambda _: render.table(HEAD, rows), as_json_=as_json)


@audit.command()
@click.option(
    "--anchor",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with the newest entry's number and hash of the last time; written anew when all is well.",
)
@remote.control_options
@render.JSON_OPTION
def verify(url: str, token_file: Path | None, anchor: Path | None, *, as_json: bool) -> None:
    """Verify that no entry was changed, removed or put in between; with --anchor, that the newest are there too."""
    noted = _noted(anchor) if anchor and anchor.exists() else {}
    found = remote.connect(url, token_file).get(AuditCheck, "/audit/verify", **noted)
    text = (
        f"{found.entries} entries, the chain is whole"
        if found.whole
        else f"the chain breaks at entry {found.broken_at}"
    )
    render.show(found, lambda _: text, as_json_=as_json)
    if not found.whole:
        raise errors.Untrusted("the audit log was changed", hint="compare it with a backup, from that entry on")
    if anchor and found.head:
        anchor.write_text(f"{found.entries} {found.head}\n", encoding="utf-8")


def _noted(anchor: Path) -> dict[str, str]:
    """The query for what was noted. InvalidInput where the file has something else."""
    words = anchor.read_text(encoding="utf-8", errors="replace").split()
    if len(words) != _NOTED or not words[0].isdecimal():
        raise errors.InvalidInput(f"{anchor} does not hold an entry's number and its hash", hint="name another file")
    return {"number": words[0], "hash": words[1]}
