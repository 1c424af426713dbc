"""The review that a release begins with: no error is shipped, and what differs from the release before is shown."""

from collections.abc import Callable, Iterable
from pathlib import Path

from alien_iac import platforms, projects
from alien_iac.errors import StackInvalid, UpdateFailed
from alien_iac.models.platform import Platform
from alien_iac.review import against, answers, deployments, diff, render_text, run
from alien_iac.review.model import Review


def check(folder: Path, version: str, before: str | None, wanted: Iterable[str], tell: Callable[[str], None]) -> None:
    """Review the program of a project on these platforms, keep what was found, and tell what differs.

    A platform that is not installed here, and a program that needs a customer's config, cannot be reviewed; that is
    told, and does not stop the release. Raises StackInvalid where the checks find errors.
    """
    there = set(platforms.installed())
    known = [name for name in wanted if name in set(Platform)]  # what is not known is refused where it is built for
    reviews = [found for name in known if (found := _review(folder, name, there, tell))]
    wrong = [finding for one in reviews if one.has_errors for finding in one.findings]
    if wrong:
        raise StackInvalid(wrong)
    earlier = against.kept(folder, before) if before else {}
    against.keep(folder, version, reviews)
    for one in reviews:
        if one.platform in earlier:
            tell(render_text.difference(diff.compare(earlier[one.platform], one)))


def _review(folder: Path, name: str, there: set[Platform], tell: Callable[[str], None]) -> Review | None:
    platform = Platform(name)
    if platform not in there:
        tell(f"not reviewed for {name}: pip install 'alien-iac[{name}]'")
        return None
    project = projects.find(folder)
    try:
        return run.review(deployments.subject(project, platform, None), answers.load(project.folder))
    except UpdateFailed as error:
        tell(f"not reviewed for {name}: {error.message}")
        return None
