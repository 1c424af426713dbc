"""Console sessions of the documentation, played by a real shell in a folder of their own.

A session is the blocks of one page whose mark is `session: NAME`; a block `NAME, continued` goes on with the last one.
NAME is a folder of the repository, which is copied, or any word for an empty folder. In what is printed, `…` stands for
any text, and alone on a line for any lines.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.doc_pages import ROOT, Block, Command, blocks, commands

ALONE = "…"
_MARK = "@@@"
_LEFT = "alien agent destroy --dir agent --yes; alien destroy acme --yes"
"""What a session that broke off may have left running."""
_QUICK = {"ALIEN_AGENT_HEARTBEAT_SECONDS": "1", "ALIEN_ENGINE": "embedded"}


@dataclass(frozen=True)
class Session:
    """Commands that are typed one after the other in one shell."""

    name: str
    place: str
    blocks: tuple[Block, ...]

    @property
    def commands(self) -> list[Command]:
        return [command for block in self.blocks for command in commands(block)]


def sessions() -> list[Session]:
    """All sessions, page by page."""
    found: list[Session] = []
    for block in blocks("console"):
        if block.mark.startswith("session: "):
            name, _, more = block.mark.removeprefix("session: ").partition(", ")
            if more == "continued":
                last = found.pop()
                assert last.name == name, block.place
                found.append(Session(name, last.place, (*last.blocks, block)))
            else:
                found.append(Session(name, block.place, (block,)))
    return found


def play(session: Session, folder: Path, timeout_s: float) -> list[str]:
    """What each command printed. Raises AssertionError with all output where a command fails."""
    if (ROOT / session.name).is_dir():
        shutil.copytree(ROOT / session.name, folder, dirs_exist_ok=True)
    folder.mkdir(exist_ok=True)
    script = folder.parent / "session.sh"
    script.write_text("\n".join(_script(session)), encoding="utf-8")
    try:
        done = _shell([str(script)], folder, timeout_s)
    finally:
        _shell(["-c", _LEFT], folder, timeout_s)
    printed = done.stdout.split(f"{_MARK}\n")
    assert done.returncode == 0, done.stdout
    return [text.removesuffix("\n\n").removesuffix("\n") for text in printed[1:]]


def _shell(words: list[str], folder: Path, timeout_s: float) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", *words],
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=timeout_s,
    )


def matches(expected: str, printed: str) -> bool:
    """Whether a command printed what the page says."""
    lines = expected.splitlines()
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == ALONE else f"{_line(line)}\n" for line in lines)
    return re.fullmatch(pattern, f"{printed}\n" if printed else "") is not None


def _line(line: str) -> str:
    return ".*?".join(re.escape(part) for part in line.split(ALONE)) + r" *"


def _script(session: Session) -> Iterator[str]:
    yield "set -m"  # background jobs have numbers
    yield "trap 'status=$?; set +e; kill $(jobs -p) 2>/dev/null; wait; exit $status' EXIT"
    yield "set -e"
    for command in session.commands:
        yield f"echo; echo {_MARK}"
        yield command.typed


def _environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
    return {"HOME": str(folder / "home"), "PATH": path, "LANG": "C.UTF-8", **_QUICK}
