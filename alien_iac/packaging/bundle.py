"""From a stack program's folder to what agents run: the program as a zip, and the wheels that it needs."""

import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from alien_iac.errors import InvalidInput, NotFound
from alien_iac.packaging import files, requirements
from alien_iac.packaging.archive import Artifact, entry, keep, write

SDKS = ("pulumi", "pulumi-aws", "pulumi-azure-native", "pulumi-gcp")
_AGENT_EXTRAS = ("all", "deploy", "control", "")


def program_folder(project: Path) -> Path:
    """The stack program's folder: the `main` of Pulumi.yaml, else the project's own. NotFound, InvalidInput."""
    settings = _settings(project)
    folder = (project / str(settings.get("main") or ".")).resolve()
    if not (folder / "__main__.py").is_file():
        raise NotFound(f"there is no stack program {folder / '__main__.py'}", hint="see `main` in Pulumi.yaml")
    return folder


def program_name(project: Path) -> str:
    """The project's name in Pulumi.yaml. NotFound, InvalidInput."""
    name = _settings(project).get("name")
    if not isinstance(name, str) or not name:
        raise InvalidInput(f"{project / 'Pulumi.yaml'} has no name", hint="write `name: …` in it")
    return name


def bundle(project: Path, cache: Path) -> Artifact:
    """The stack program's folder as a zip: no config of any Pulumi stack, nothing of a customer.

    InvalidInput where secrets lie in the folder: a release goes to every customer.
    """
    folder = program_folder(project)
    files.refuse_secrets(folder)
    return write(files.collect(folder), cache / "artifacts")


def wheels(project: Path, cache: Path) -> tuple[tuple[str, Artifact], ...]:
    """File name and content of each wheel that the program needs and an agent does not have. May be none."""
    folder = program_folder(project)
    listed = requirements.find(folder) or (requirements.find(project) if folder != project.resolve() else None)
    there = {*requirements.SUPPLIED, *SDKS, *of_the_agent()}
    locked = requirements.lock(requirements.Wanted(listed=listed, left_out=there), cache)
    if listed is None or not locked.strip():
        return ()
    with tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as place:
        found = requirements.fetch_wheels(listed, locked, Path(place))
        return tuple((path.name, _kept(path, cache)) for path in found)


def of_the_agent() -> frozenset[str]:
    """The packages that come with alien-iac and all that it depends on: every agent has them."""
    known: set[str] = set()
    waiting = [requirements.SUPPLIED[0]]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in known:
            known.add(name)
            waiting.extend(_needs(name))
    return frozenset(known)


def _needs(name: str) -> Iterator[str]:
    try:
        told = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for each in map(Requirement, told):
        extras = _AGENT_EXTRAS if name == requirements.SUPPLIED[0] else ("",)
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras):
            yield each.name


def _kept(path: Path, cache: Path) -> Artifact:
    """The wheel in the cache, by its content."""
    digest = entry(path.name, path).sha256
    place = cache / "wheels" / digest
    place.mkdir(parents=True, exist_ok=True)
    return keep(path, place / path.name, digest)


def _settings(project: Path) -> dict[str, object]:
    file = project / "Pulumi.yaml"
    try:
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"there is no {file}", hint="run this in a Pulumi project, or name its folder") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} is not YAML: {error}") from error
    if not isinstance(settings, dict):
        raise InvalidInput(f"{file} must be a map of settings, not {type(settings).__name__}")
    return settings
