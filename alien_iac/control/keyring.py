"""The keys of the vault where they do not live with the data: in a file, or given by a command that asks a KMS."""

import base64
import os
import shlex
import stat
import subprocess
from pathlib import Path

from alien_iac.control.vault import KEY_BYTES
from alien_iac.errors import InvalidInput, Unavailable

COMMAND_S = 60
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_HOW = f"a line is {KEY_BYTES} random bytes in base64, as `openssl rand -base64 {KEY_BYTES}` gives them"


def from_file(path: Path) -> tuple[bytes, ...]:
    """The keys in a file. InvalidInput where others may read it, or a line is none."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the key file {path} cannot be read: {type(error).__name__}") from error
    if os.name == "posix" and mode & _OTHERS:
        raise InvalidInput(f"others may read the key file {path}", hint=f"chmod 600 {path}")
    return read(text, str(path))


def from_command(command: str) -> tuple[bytes, ...]:
    """The keys that a command prints, one a line: `aws kms decrypt …`, say. No shell; its errors are not ours to show.

    InvalidInput where it is not a command or prints no keys; Unavailable where it fails.
    """
    try:
        words = shlex.split(command)
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_S, check=False)
    except (ValueError, IndexError, OSError) as error:
        raise InvalidInput("the key command cannot be run", hint="name a program and its arguments") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"the key command {words[0]} did not end in {COMMAND_S} s") from error
    if done.returncode:
        raise Unavailable(f"the key command {words[0]} failed with exit code {done.returncode}", hint="run it by hand")
    return read(done.stdout.decode(errors="replace"), f"the output of {words[0]}")


def read(text: str, where: str) -> tuple[bytes, ...]:
    """The keys in a text: the first one seals, the others open what was sealed before."""
    found: list[bytes] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            found.append(_key(line.strip(), f"{where}, line {number}"))
    if not found:
        raise InvalidInput(f"{where} has no key", hint=_HOW)
    return tuple(found)


def _key(line: str, where: str) -> bytes:
    try:
        found = base64.b64decode(line, validate=True)
    except ValueError as error:  # binascii's, or what is no ASCII at all
        raise InvalidInput(f"{where} is not base64", hint=_HOW) from error
    if len(found) != KEY_BYTES:
        raise InvalidInput(f"{where} has {len(found)} bytes, not {KEY_BYTES}", hint=_HOW)
    return found
