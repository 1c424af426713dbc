"""Stack programs in a child process, served to the engine: the engine's process holds credentials, the child none.

Pulumi calls this a language server at `--client`. `alien_iac.host` is what runs in the child; it prints its port.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from alien_iac.errors import Unavailable, UpdateFailed

GRACE_S = 2.0
"""How long a program has after SIGTERM before it is killed."""
DEATH_S = 0.2
"""How long the death of a killed child may take to be seen, after the connection to it broke."""
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SYSTEMROOT")
"""What a scrubbed child keeps of the environment: where commands are, and how text and time are written."""

Lines = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Program:
    """A stack program, and all of the environment that its child gets."""

    folder: Path
    environment: Mapping[str, str] = field(repr=False)


def scrubbed(around: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """An environment of the allow-list `PASSED_ON` and of what is given: no credentials, no passphrase, no home."""
    kept = {name: around[name] for name in PASSED_ON if name in around}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **given}


@contextmanager
def serve(program: Program, log: Lines, meanwhile: Callable[[], None] = lambda: None) -> Iterator[str]:
    """A child that serves the program, as `host:port`; it is ended with the block. What it prints goes to `log`.

    `meanwhile` is done while the child loads, which takes it a quarter of a second.
    Raises UpdateFailed where it does not start, Unavailable where somebody kills it (another try may help).
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "alien_iac.host", str(program.folder)],
        cwd=program.folder,
        env={**program.environment, "PYTHONPATH": _search_path(program.environment)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        process_group=0,
    )
    try:
        meanwhile()
        yield f"127.0.0.1:{_port(child, program, log)}"
    except Exception as error:
        _refuse_killed(child, error)
        raise
    finally:
        _end(child)


def _search_path(environment: Mapping[str, str]) -> str:
    """Where the child finds this package: beside whatever the program brings along."""
    ours = str(Path(__file__).parent.parent)
    return os.pathsep.join(part for part in (environment.get("PYTHONPATH", ""), ours) if part)


def _refuse_killed(child: "subprocess.Popen[str]", error: Exception) -> None:
    """Raises Unavailable where a signal has ended the child: whatever failed then, failed for that."""
    with suppress(subprocess.TimeoutExpired):  # it lives: then it is not the cause
        number = -child.wait(DEATH_S)
        if number > 0:
            name = signal.Signals(number).name
            raise Unavailable(f"the stack program's process was killed ({name})", hint="run it again") from error


def _port(child: "subprocess.Popen[str]", program: Program, log: Lines) -> int:
    streams = [stream for stream in (child.stdout, child.stderr) if stream]
    first = streams[0].readline().strip()
    if not first.isdigit():
        with suppress(subprocess.TimeoutExpired):  # it printed something else, and goes on
            child.wait(GRACE_S)
        child.kill()
        said = f"{first}\n{child.communicate()[1]}".strip().splitlines()
        raise UpdateFailed(
            f"the stack program in {program.folder} could not be started: {said[-1] if said else 'it said nothing'}",
            hint=f"see what `{sys.executable} -m alien_iac.host {program.folder}` prints",
        )
    for stream in streams:
        threading.Thread(target=_drain, args=(stream, log), daemon=True, name=f"program-{child.pid}").start()
    return int(first)


def _drain(stream: IO[str], log: Lines) -> None:
    with stream:
        for line in stream:
            log(line.rstrip())


def _end(child: "subprocess.Popen[str]") -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdin:
        child.stdin.close()
