"""`alien doctor`: what is here, what is missing, and the line that gets it."""

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from alien_iac import errors
from alien_iac.cli import render


@dataclass(frozen=True)
class Part:
    """One thing that may be here. `needed` parts make `doctor` fail when they are missing."""

    name: str
    found: str
    hint: str = ""
    needed: bool = False


@click.command()
@click.option("--install", is_flag=True, help="Install the Pulumi CLI by Pulumi's own installer.")
@click.option("--root", type=click.Path(path_type=Path), help="Where to; by default ~/.pulumi/versions/<version>.")
@render.JSON_OPTION
def doctor(root: Path | None, *, install: bool, as_json: bool) -> None:
    """Say what is installed, what is missing, and how to get it."""
    if install:
        from alien_iac import automation  # noqa: PLC0415 - it needs Pulumi, which may be what is missing

        click.echo(f"installed {automation.install_cli(root)}", err=True)
    parts = [check() for check in CHECKS]
    render.show([part.__dict__ for part in parts], lambda _: _text(parts), as_json_=as_json)
    missing = [part for part in parts if part.needed and not part.found]
    if missing:
        raise errors.Missing(f"missing: {', '.join(part.name for part in missing)}", hint=missing[0].hint)


def _text(parts: Sequence[Part]) -> str:
    rows = ((" ok" if p.found else " no" if p.needed else "  -", p.name, p.found or p.hint) for p in parts)
    return render.table(("", "PART", "FOUND, OR WHAT TO DO"), rows)


def _python() -> Part:
    return Part("Python", sys.version.split()[0], needed=True)


def _package(name: str, extra: str, *, needed: bool) -> Callable[[], Part]:
    def check() -> Part:
        here = importlib.util.find_spec(name.replace("-", "_")) is not None
        return Part(
            f"package {name}",
            importlib.metadata.version(name) if here else "",
            f"pip install 'alien-iac[{extra}]'",
            needed,
        )

    return check


def _program(name: str, *words: str, hint: str) -> Callable[[], Part]:
    def check() -> Part:
        path = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
        if path is None:
            return Part(name, "", hint)
        if not words:
            return Part(name, path, hint)
        done = subprocess.run([path, *words], capture_output=True, text=True, check=False, timeout=20)
        said = (done.stdout or done.stderr).strip().splitlines()
        return Part(name, said[0] if done.returncode == 0 and said else "", hint)

    return check


CHECKS: tuple[Callable[[], Part], ...] = (
    _python,
    _package("pulumi", "deploy", needed=True),
    _package("supervisor", "deploy", needed=True),
    _package("uv", "deploy", needed=True),
    _package("fastapi", "control", needed=False),
    _package("dbos", "control", needed=False),
    _program(
        "pulumi",
        "version",
        hint="for deployments to a cloud, which the embedded engine does not do: alien doctor --install",
    ),
    _program("pulumi-resource-alien", hint="pip install 'alien-iac[deploy]' into this Python"),
    _program("docker", "info", "--format", "Docker {{.ServerVersion}}", hint="only for images on platform local"),
)
