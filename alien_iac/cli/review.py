"""`alien review`: what the stack program will do to an account, for the customer's security team."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from alien_iac import errors, platforms, projects
from alien_iac.cli import render
from alien_iac.models.platform import Platform
from alien_iac.policy import copy_pack
from alien_iac.review import against as earlier
from alien_iac.review import answers, deployments, diff, permissions, render_html, render_text, run
from alien_iac.review.deployments import Subject
from alien_iac.review.diff import Difference
from alien_iac.review.model import Review

ALL = "all"
_PLATFORMS = (*(each.value for each in Platform), ALL)


@click.command()
@click.option(
    "--platform",
    type=click.Choice(_PLATFORMS),
    help="Default: the customer's, or all installed.",
)
@click.option("--stack", help="A customer: their config. Default: a made-up deployment.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with the picture here.")
@click.option("--against", help="Show what differs from a release, a git ref, or a file that --json wrote.")
@click.option(
    "--permissions",
    "permissions_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write what deploying takes here, in each cloud's own form.",
)
@click.option(
    "--policy-pack",
    "pack_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the rules here, for `pulumi up --policy-pack`.",
)
@click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="Folder of the project, or one in it.",
)
@render.JSON_OPTION
def review(
    platform: str | None,
    stack: str | None,
    html: Path | None,
    against: str | None,
    permissions_folder: Path | None,
    pack_folder: Path | None,
    project: Path,
    *,
    as_json: bool,
) -> int:
    """Show what the stack program would do to an account. It needs no credentials and no network.

    Exit code 1 where the checks find an error.
    """
    subjects = _subjects(projects.find(project).folder, platform, stack)
    reviews = reviewed(subjects)
    before = earlier.find(against, subjects) if against else {}
    differences = [diff.compare(before[one.platform], one) for one in reviews if one.platform in before]
    if permissions_folder is not None:
        _write_permissions(permissions_folder, reviews)
    if pack_folder is not None:
        copy_pack(pack_folder)
    if html is not None:
        title = f"Review of {subjects[0].project.name}" + (f" for {stack}" if stack else "")
        html.write_text(render_html.page(title, reviews, differences), encoding="utf-8")
    click.echo(_as_json(reviews, differences) if as_json else _as_text(reviews, differences))
    return 1 if any(one.has_errors for one in reviews) else 0


def reviewed(subjects: list[Subject]) -> list[Review]:
    """A review of each, side by side: every stack program runs in a process of its own."""
    given = answers.load(subjects[0].project.folder)
    with ThreadPoolExecutor(len(subjects)) as pool:
        return list(pool.map(lambda subject: run.review(subject, given), subjects))


def _subjects(folder: Path, platform: str | None, stack: str | None) -> list[Subject]:
    project = projects.find(folder)
    if platform == ALL or (platform is None and stack is None):
        wanted: list[Platform | None] = [*platforms.installed()]
    else:
        wanted = [Platform(platform) if platform else None]
    return [deployments.subject(project, each, stack) for each in wanted]


def _write_permissions(folder: Path, reviews: list[Review]) -> None:
    found = {Platform(one.platform): one.deploy_permissions for one in reviews if one.deploy_permissions}
    if not found:
        raise errors.InvalidInput("local needs no permissions", hint="name a cloud with --platform")
    folder.mkdir(parents=True, exist_ok=True)
    for where, data in found.items():
        text = json.dumps(data, indent=2) + "\n"
        (folder / permissions.FILES[where]).write_text(text, encoding="utf-8")


def _as_json(reviews: list[Review], differences: list[Difference]) -> str:
    changed = {one.platform: one.dump() for one in differences}
    told = [r.dump() | ({"difference": changed[r.platform]} if r.platform in changed else {}) for r in reviews]
    return render.as_json(told[0] if len(told) == 1 else told)


def _as_text(reviews: list[Review], differences: list[Difference]) -> str:
    if differences:
        return "\n\n".join(render_text.difference(one) for one in differences)
    return "\n\n".join(render_text.review(one) for one in reviews)
