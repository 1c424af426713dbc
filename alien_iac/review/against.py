"""What a review is compared with: a file that an earlier one wrote, a release of this project, or a git ref."""

import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from alien_iac.engine import project as projects
from alien_iac.errors import InvalidInput, NotFound
from alien_iac.projects import LOCAL
from alien_iac.review import answers, run
from alien_iac.review.deployments import Subject
from alien_iac.review.model import Review

_FOLDER = "reviews"


def place(folder: Path, version: str) -> Path:
    """Where the reviews of a release are kept, in the project's folder for local use."""
    return folder / LOCAL / _FOLDER / version


def keep(folder: Path, version: str, reviews: Iterable[Review]) -> None:
    """Keep the reviews of a release, for the next one to be compared with."""
    there = place(folder, version)
    there.mkdir(parents=True, exist_ok=True)
    for one in reviews:
        (there / f"{one.platform}.json").write_text(json.dumps(one.dump(), indent=1), encoding="utf-8")


def kept(folder: Path, version: str) -> dict[str, Review]:
    """The reviews of a release by platform; none where it was not reviewed here."""
    found = (read(path) for path in sorted(place(folder, version).glob("*.json")))
    return {one.platform: one for reviews in found for one in reviews}


def read(path: Path) -> tuple[Review, ...]:
    """The reviews in a file that `--json` wrote. Raises InvalidInput."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        told = told if isinstance(told, list) else [told]
        return tuple(Review.model_validate({k: v for k, v in one.items() if k != "difference"}) for one in told)
    except (ValueError, ValidationError, AttributeError) as error:
        raise InvalidInput(f"{path} is not a review: {error}", hint="write one with alien review --json") from error


def find(wanted: str, subjects: Iterable[Subject]) -> Mapping[str, Review]:
    """The reviews to compare with, by platform. Raises NotFound where it names nothing that there is."""
    subjects = tuple(subjects)
    folder = subjects[0].project.folder
    if Path(wanted).is_file():
        return {one.platform: one for one in read(Path(wanted))}
    if place(folder, wanted).is_dir():
        return kept(folder, wanted)
    with tempfile.TemporaryDirectory(prefix="alien-against-") as temporary:
        _check_out(folder, wanted, Path(temporary))
        old = projects.find(Path(temporary).resolve() / _below(folder))
        given = answers.load(old.folder)
        return {s.platform.value: run.review(replace(s, project=old), given) for s in subjects}


def _below(folder: Path) -> str:
    """The project's folder in its repository."""
    return _git(folder, "rev-parse", "--show-prefix").decode().strip()


def _check_out(folder: Path, ref: str, to: Path) -> None:
    """The files of a git ref, without touching the work tree."""
    try:
        commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except NotFound as error:
        message = f"{ref} is no file, no release that was reviewed here, and no git ref"
        raise NotFound(message, hint="name one of these") from error
    top = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    with tempfile.TemporaryFile() as file:
        file.write(_git(top, "archive", "--format=tar", commit.decode().strip()))
        file.seek(0)
        with tarfile.open(fileobj=file) as tar:
            tar.extractall(to, filter="data")


def _git(folder: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NotFound("git is not installed", hint="compare with a file that alien review --json wrote") from error
    if done.returncode != 0:
        raise NotFound(f"git {words[0]}: {done.stderr.decode(errors='replace').strip() or 'nothing found'}")
    return done.stdout
