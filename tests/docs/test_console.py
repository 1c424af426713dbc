"""Console sessions: some are played, and of all of them every command is one that exists."""

import re
import shlex
import shutil
from pathlib import Path

import click
import pytest
from docs.doc_pages import ROOT, Block, blocks, commands, pages
from docs.generated_pages import top
from docs.sessions import Session, matches, play, sessions

from alien_iac import cli

TIMEOUT_S = 110
BLOCKS = blocks("console")
_SHELL = re.compile(r"[|><&$`;]")
_INLINE = re.compile(r"`alien ([a-z][^`]*)`")


def test_there_is_something_to_play() -> None:
    assert len(sessions()) > 3


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bash"), reason="the sessions are those of a shell")
@pytest.mark.parametrize("session", sessions(), ids=lambda session: session.place)
def test_a_session_prints_what_the_page_says(session: Session, tmp_path: Path) -> None:
    if any("curl " in command.typed for command in session.commands) and not shutil.which("curl"):
        pytest.skip("the session needs curl")
    printed = play(session, tmp_path / "session", TIMEOUT_S)
    other = [
        f"$ {command.typed}\nexpected:\n{command.printed}\nprinted:\n{text}"
        for command, text in zip(session.commands, printed, strict=True)
        if not matches(command.printed, text)
    ]
    assert not other, "\n\n".join(other)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_every_command_of_a_session_exists(block: Block, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("code", "alice.pem"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALIEN_CONTROL_PLANE", "http://127.0.0.1:9")
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for command in commands(block):
        typed = re.sub(r"^\S*/bin/", "", command.typed.partition("#")[0])
        if typed.startswith("make "):
            assert typed.split()[1] in targets
        elif typed.startswith("alien ") and not _SHELL.search(typed):
            understood(cli.cli, shlex.split(typed)[1:])


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_verb_that_is_named_exists(page: Path) -> None:
    for named in _INLINE.findall(page.read_text(encoding="utf-8")):
        verb(cli.cli, named.split())


def understood(command: click.Command, words: list[str]) -> None:
    """Parse a command line, and run nothing."""
    leaf, rest = verb(command, words)
    with leaf.make_context("alien", rest, parent=top()):
        pass


def verb(command: click.Command, words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the first words name, and the words after them."""
    while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        child = command.get_command(click.Context(command), words[0])
        assert child, f"there is no `{' '.join(words)}`"
        command, words = child, words[1:]
    return command, words
