"""Which files of a folder are packaged: all but what `.alienignore` names, what tools leave behind, and secrets.

`.alienignore` has the syntax of `.gitignore`, in any folder, and may bring back what the defaults leave out. It cannot
bring back what must never travel.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

from alien_iac.errors import InvalidInput, NotFound
from alien_iac.packaging.archive import Entry, entry

IGNORE = ".alienignore"

DEFAULTS = (
    ".*/",
    "*.egg-info/",
    "*.pyc",
    ".DS_Store",
    ".coverage*",
    ".gitattributes",
    ".gitignore",
    IGNORE,
    "node_modules/",
    "venv/",
    "uv.lock",
)
NEVER = (".git", ".hg", ".svn", "__pycache__", ".venv", ".alien/", ".demo/", ".python/", "Pulumi.*.yaml")
SECRETS = (
    ".env",
    ".env.*",
    "!.env.example",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    ".netrc",
    ".pypirc",
)
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s[A-Za-z0-9+/=:,\-\s]{64}")
_KEY_SIZE = 1 << 20
"""Files above this many bytes are not looked into for keys."""
_SHOWN = 5


def collect(folder: Path) -> tuple[Entry, ...]:
    """The files to package, by name.

    NotFound where there is no such folder. InvalidInput for a file with a private key in it, and for a link that leads
    out of the folder or to another folder.
    """
    found = _walk(folder)
    entries = tuple(entry(path.relative_to(folder).as_posix(), path) for path in sorted(found))
    keys = [each.name for each in entries if _holds_key(each.path)]
    if keys:
        raise _refused(folder, keys, "a private key is in it")
    return entries


def _holds_key(path: Path) -> bool:
    return path.stat().st_size <= _KEY_SIZE and _KEY.search(path.read_bytes()) is not None


def secrets(folder: Path) -> tuple[str, ...]:
    """Files that look like secrets and are not ignored by name: those that `collect` leaves out without a word."""
    spec = GitIgnoreSpec.from_lines(SECRETS)
    ignored = _Rules(folder, never=GitIgnoreSpec.from_lines(NEVER))
    every = _files(folder, ignored)
    return tuple(name for path in sorted(every) if spec.match_file(name := path.relative_to(folder).as_posix()))


def refuse_secrets(folder: Path) -> None:
    """InvalidInput where the folder holds files that look like secrets and are not named in `.alienignore`."""
    found = secrets(folder)
    if found:
        raise _refused(folder, found, "it looks like a secret")


def _refused(folder: Path, names: tuple[str, ...] | list[str], why: str) -> InvalidInput:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return InvalidInput(
        f"{folder} cannot be packaged, {why}: {', '.join(names[:_SHOWN])}{more}",
        hint=f"move it out of the folder, or name it in {folder / IGNORE}",
    )


def _walk(folder: Path) -> Iterator[Path]:
    return _files(folder, _Rules(folder, never=GitIgnoreSpec.from_lines((*NEVER, *SECRETS))))


def _files(folder: Path, rules: "_Rules") -> Iterator[Path]:
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}")
    for place, folders, files in os.walk(folder):
        here = Path(place)
        rules.enter(here)
        folders[:] = sorted(name for name in folders if not rules.ignores(here / name, is_folder=True))
        for name in folders:
            _check_link(folder, here / name)
        for name in files:
            path = here / name
            if not rules.ignores(path, is_folder=False):
                _check_link(folder, path)
                yield path


def _check_link(folder: Path, path: Path) -> None:
    if not path.is_symlink():
        return
    target = path.resolve()
    if not target.is_file() or not target.is_relative_to(folder.resolve()):
        raise InvalidInput(
            f"{path} is a link to {target}, which cannot be packaged",
            hint="a link may lead to a file of the same folder; copy what it leads to, or name it in .alienignore",
        )


class _Rules:
    """The defaults, the `.alienignore` of each folder on the way, and what is never packaged."""

    def __init__(self, root: Path, never: GitIgnoreSpec) -> None:
        self._root = root
        self._never = never
        self._specs: dict[Path, GitIgnoreSpec] = {}
        self._defaults = GitIgnoreSpec.from_lines(DEFAULTS)

    def enter(self, folder: Path) -> None:
        """Read a folder's own rules."""
        file = folder / IGNORE
        if file.is_file():
            self._specs[folder] = GitIgnoreSpec.from_lines(file.read_text(encoding="utf-8").splitlines())

    def ignores(self, path: Path, *, is_folder: bool) -> bool:
        """Whether a path is left out. The rules nearest to it count most."""
        slash = "/" if is_folder else ""
        name = path.relative_to(self._root).as_posix() + slash
        if self._never.match_file(name):
            return True
        verdict = self._defaults.check_file(name).include
        for folder in reversed(path.parents):
            spec = self._specs.get(folder)
            told = spec.check_file(path.relative_to(folder).as_posix() + slash).include if spec else None
            verdict = verdict if told is None else told
        return bool(verdict)
