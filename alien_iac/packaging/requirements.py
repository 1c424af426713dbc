"""A folder's Python requirements: found, pinned once, installed or fetched, by uv and pip.

What the platform supplies itself (alien-iac, and for stack programs Pulumi and its SDKs) is left out wherever it comes
up, also as a requirement of a requirement.
"""

import hashlib
import os
import platform as machine
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import uv
from filelock import FileLock

from alien_iac.errors import InvalidInput

SUPPLIED = ("alien-iac",)
_SOURCES = ("-i ", "-f ", "--index-url", "--extra-index-url", "--find-links", "--no-index", "--trusted-host")
_INCLUDED = re.compile(r"^(?:-r|-c|--requirement|--constraint)[= ](.+)$", re.MULTILINE)
_INDEX = {
    "PIP_INDEX_URL": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "PIP_EXTRA_INDEX_URL": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "PIP_FIND_LINKS": ("UV_FIND_LINKS",),
}
_TIMEOUT_S = 900
_LINES = 12
"""Of a failed command's output, the last ones are shown."""
_WHEEL_LESS = re.compile(
    r"(?:Wheels are required for|Building source distributions for|attempted to build|found wheels for"
    r"|Wheels are available for) `([A-Za-z0-9._-]+)"
)
_NO_WHEEL = (
    "nothing is built for another machine than this one: allow a version with a wheel, take a package that has one, "
    "or build the wheel there and name its folder with --find-links in requirements.txt"
)


class _Failed(InvalidInput):
    """A command that could not do its work, with all that it said."""

    def __init__(self, place: Path, what: str, said: str) -> None:
        self.said = said
        self.last = "\n".join(f"  {line}" for line in said.strip().splitlines()[-_LINES:])
        message = f"{place}: could not {what} the requirements:\n{self.last}"
        super().__init__(message, hint="mend them, or the index")


def find(folder: Path) -> Path | None:
    """The file with a folder's requirements: requirements.txt, else a pyproject.toml that has dependencies, or none.

    InvalidInput for a pyproject.toml that is no TOML.
    """
    listed = folder / "requirements.txt"
    if listed.is_file():
        return listed
    project = folder / "pyproject.toml"
    if not project.is_file():
        return None
    try:
        told = tomllib.loads(project.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{project} is not TOML: {error}") from error
    return project if told.get("project", {}).get("dependencies") else None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be installed, and for which machine."""

    listed: Path | None
    """The vendor's own file."""
    left_out: Iterable[str] = ()
    """The packages that are there already."""
    added: tuple[str, ...] = ()
    """Requirements of ours beside the vendor's."""
    options: tuple[str, ...] = ()
    """For uv, about another machine than this one."""
    words: str = "this machine"
    """The machine, for people."""


def lock(wanted: Wanted, cache: Path) -> str:
    """The pinned requirements, one a line; empty where there are none.

    The same text is pinned once, and kept in `cache`: a build tomorrow gets the versions of today's. Raises
    InvalidInput, with what uv said, where they cannot be resolved, and names what exists as source only.
    """
    if wanted.listed is None and not wanted.added:
        return ""
    kept = cache / "locks" / f"{digest(_question(wanted))}.txt"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(kept.with_suffix(".lock")):
        if not kept.is_file():
            _write(kept, _resolve(wanted, cache))
    return kept.read_text(encoding="utf-8")


def _question(wanted: Wanted) -> str:
    """All that the answer depends on, but the index."""
    here = [f"{sys.version_info.major}.{sys.version_info.minor}", sys.platform, machine.machine()]
    own = [wanted.listed.name, _whole_text(wanted.listed)] if wanted.listed else []
    return "\n".join([*(wanted.options or here), *sorted(wanted.left_out), *wanted.added, *own])


def digest(text: str) -> str:
    """A name for a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def install(wanted: Wanted, locked: str, folder: Path) -> None:
    """Install the pinned requirements into a folder."""
    sources = _sources(wanted.listed) if wanted.listed else ""
    with _as_file(sources + locked) as pinned:
        where = ["--python", sys.executable, "--target", str(folder), "--link-mode", "copy", *wanted.options]
        place = wanted.listed.parent if wanted.listed else folder
        try:
            _uv("pip", "install", "--quiet", "--no-deps", *where, "--requirement", pinned, cwd=place, what="install")
        except _Failed as failed:
            raise (_source_only(wanted, failed, place) or failed) from failed


def fetch_wheels(file: Path, locked: str, folder: Path) -> tuple[Path, ...]:
    """Put the wheels of a file's pinned requirements into a folder, building those that exist as source only."""
    with _as_file(_sources(file) + locked) as pinned:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        whole = [*command, "--wheel-dir", str(folder), "--requirement", pinned]
        _run(whole, cwd=file.parent, what="fetch", env={**_index_for_pip(os.environ), **os.environ})
    return tuple(sorted(folder.glob("*.whl")))


def _index_for_pip(environ: Mapping[str, str]) -> dict[str, str]:
    """Where uv is told to look for packages, in the words of pip, which has to look there too."""
    found = {pip: next((environ[name] for name in names if environ.get(name)), "") for pip, names in _INDEX.items()}
    return {name: value for name, value in found.items() if value}


def _sources(file: Path) -> str:
    """The lines of a requirements.txt that say where packages are. Not kept in a lock: they may hold a password."""
    if file.suffix != ".txt":
        return ""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return "".join(f"{_absolute(line, file.parent)}\n" for line in lines if line.startswith(_SOURCES))


def _absolute(line: str, base: Path) -> str:
    option, _, value = line.replace("=", " ", 1).partition(" ")
    place = base / value.strip()
    return f"{option} {place}" if value and place.exists() else line


def _resolve(wanted: Wanted, cache: Path) -> str:
    try:
        return _compiled(wanted, cache)
    except _Failed as failed:
        place = wanted.listed.parent if wanted.listed else cache
        source_only = _source_only(wanted, failed, place)
        if source_only:
            raise source_only from failed
        if wanted.listed and wanted.added and _alone(wanted, cache):
            message = f"{place}: its requirements do not fit with {', '.join(wanted.added)} of alien-iac:\n"
            raise InvalidInput(message + failed.last, hint="allow a version that both can have") from failed
        raise


def _source_only(wanted: Wanted, failed: _Failed, place: Path) -> InvalidInput | None:
    """What to say where a requirement would have to be built for another machine; None where it failed otherwise."""
    lacking = sorted(set(_WHEEL_LESS.findall(failed.said))) if wanted.options else []
    if not lacking:
        return None
    message = f"{place}: there is no wheel of {', '.join(lacking)} for {wanted.words}"
    return InvalidInput(message, hint=_NO_WHEEL)


def _alone(wanted: Wanted, cache: Path) -> bool:
    """Whether the vendor's own requirements can be had without ours."""
    try:
        _compiled(replace(wanted, added=()), cache)
    except _Failed:
        return False
    return True


def _compiled(wanted: Wanted, cache: Path) -> str:
    with _as_file("\n".join(sorted(wanted.left_out))) as excludes, _as_file("\n".join(wanted.added)) as added:
        quiet = ["--quiet", "--no-header", "--no-annotate"]
        where = ["--python", sys.executable, "--excludes", excludes, *wanted.options]
        files = [*([wanted.listed.name] if wanted.listed else []), *([added] if wanted.added else [])]
        place = wanted.listed.parent if wanted.listed else cache
        return _uv("pip", "compile", *quiet, *where, *files, cwd=place, what="resolve")


def _whole_text(file: Path, known: frozenset[Path] = frozenset()) -> str:
    """The file's text, with that of the files that it includes, but for `known` ones, which include it."""
    text, known = file.read_text(encoding="utf-8"), known | {file.resolve()}
    included = [(file.parent / name.strip()).resolve() for name in _INCLUDED.findall(text)]
    return "\n".join([text, *(_whole_text(each, known) for each in included if each.is_file() and each not in known)])


def _uv(*arguments: str, cwd: Path, what: str) -> str:
    return _run([uv.find_uv_bin(), *arguments], cwd=cwd, what=what)


def _run(command: Sequence[str], *, cwd: Path, what: str, env: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput(f"{cwd}: could not {what} the requirements within {_TIMEOUT_S} s") from error
    if done.returncode:
        raise _Failed(cwd, what, done.stderr or done.stdout)
    return done.stdout


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


@contextmanager
def _as_file(text: str) -> Iterator[str]:
    """Text in a temporary file, for a command that wants a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "requirements.txt"
        path.write_text(text, encoding="utf-8")
        yield str(path)
