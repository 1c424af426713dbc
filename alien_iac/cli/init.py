"""`alien init`: a project to start from, or a new customer's config in the project that is there."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import yaml

from alien_iac import errors, projects
from alien_iac.cli import render

STARTER: Mapping[str, str] = MappingProxyType(
    {
        "Pulumi.yaml": "name: {name}\nruntime:\n  name: python\nmain: stacks\nstackConfigDir: stacks\n",
        ".gitignore": ".alien/\n.venv/\n__pycache__/\n",
        "stacks/__main__.py": '''"""What runs at each customer."""

import alien_iac as alien

files = alien.Storage("files")

alien.Function("worker", source="./worker", commands=True, link=[files.reader()])
''',
        "stacks/worker/main.py": '''"""The worker's handlers."""

from alien_iac.runtime import command, storage

files = storage("files")


@command("read-file")
async def read_file(path: str) -> str:
    """The text of a file in the customer's storage."""
    return (await files.get(path)).decode()
''',
    }
)


@click.command()
@click.argument("customer", required=False)
@click.option("--platform", type=click.Choice(["aws", "gcp", "azure", "local"]), help="Where the customer runs it.")
@click.option(
    "--config", "pairs", multiple=True, metavar="KEY=VALUE", help="More config, such as aws:region=eu-west-1."
)
@click.option("--project", type=click.Path(file_okay=False, path_type=Path), default=".", help="Folder of the project.")
@render.JSON_OPTION
def init(customer: str | None, platform: str | None, pairs: tuple[str, ...], project: Path, *, as_json: bool) -> None:
    """Make the config of CUSTOMER. Without CUSTOMER: make a project to start from in an empty folder."""
    made = [_customer(project, customer, platform, pairs)] if customer else _start(project, platform, pairs)
    text = "\n".join(f"made {path}" for path in made)
    after = f"next: alien up {customer}" if customer else "next: alien init acme --platform local"
    render.show({"made": [str(path) for path in made]}, lambda _: f"{text}\n{after}", as_json_=as_json)


def _customer(project: Path, customer: str, platform: str | None, pairs: tuple[str, ...]) -> Path:
    if platform is None:
        raise errors.InvalidInput("a customer's config needs a platform", hint="--platform aws, gcp, azure or local")
    if not project.is_dir():
        raise errors.NotFound(f"there is no folder {project}", hint="name the project's folder with --project")
    return projects.init(project, customer, platform, _config(pairs))


def _config(pairs: tuple[str, ...]) -> dict[str, Any]:
    wrong = [pair for pair in pairs if ":" not in pair.partition("=")[0] or "=" not in pair]
    if wrong:
        raise errors.InvalidInput(f"not KEY=VALUE: {', '.join(wrong)}", hint="such as aws:region=eu-west-1")
    return {key: yaml.safe_load(value) for key, value in (pair.split("=", 1) for pair in pairs)}


def _start(folder: Path, platform: str | None, pairs: tuple[str, ...]) -> list[Path]:
    if platform or pairs:
        raise errors.InvalidInput(
            "--platform and --config are for a customer", hint="name the customer: alien init acme --platform local"
        )
    taken = [name for name in STARTER if (folder / name).exists()]
    if taken:
        raise errors.Conflict(
            f"{folder.resolve()} has {', '.join(taken)} already",
            hint="name an empty folder with --project; for a customer here: alien init acme --platform local",
        )
    name = re.sub(r"[^a-z0-9.-]+", "-", folder.resolve().name.lower()).strip("-.") or "project"
    made = []
    for path, text in STARTER.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text.replace("{name}", name), encoding="utf-8")
        made.append(folder / path)
    return made
