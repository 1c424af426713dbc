"""The Pulumi project of a folder: `Pulumi.yaml`, found upwards, and which Pulumi stack is selected in it."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alien_iac.engine import document
from alien_iac.errors import InvalidInput, NotFound

_EXTENSIONS = (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class Project:
    """A project file and what it says."""

    path: Path
    settings: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        return str(self.settings["name"])

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def main(self) -> Path:
        """The folder of the program."""
        return (self.folder / str(self.settings.get("main") or ".")).resolve()

    @property
    def config(self) -> Mapping[str, Any]:
        """What the project declares of its config: key to declaration or default."""
        declared = self.settings.get("config")
        return declared if isinstance(declared, dict) else {}

    @property
    def plugins(self) -> Mapping[str, Path]:
        """Provider name to the folder or file that the project names for it."""
        declared = (self.settings.get("plugins") or {}).get("providers") or ()
        if not all(isinstance(plugin, dict) and {"name", "path"} <= set(plugin) for plugin in declared):
            raise InvalidInput(f"{self.path}: each of plugins.providers needs a name and a path")
        return {plugin["name"]: self.folder / plugin["path"] for plugin in declared}

    def stack_file(self, stack: str) -> Path:
        """Where the config of a Pulumi stack is, whether it exists or not."""
        config = self.settings.get("config")
        folder = self.settings.get("stackConfigDir") or (config if isinstance(config, str) else "") or "."
        return self.folder / str(folder) / f"Pulumi.{stack}{self.path.suffix}"


def find(folder: Path) -> Project:
    """The project of a folder. Raises NotFound where neither it nor one above it has a project file."""
    for place in (folder, *folder.parents):
        for extension in _EXTENSIONS:
            path = place / f"Pulumi{extension}"
            if path.is_file():
                return _load(path)
    raise NotFound(
        f"no Pulumi.yaml project file found (searching upwards from {folder}). If you have not created a project yet, "
        "use `pulumi new` to do so"
    )


def _load(path: Path) -> Project:
    settings = document.read(path)
    if not isinstance(settings, dict) or not settings.get("name"):
        raise InvalidInput(f"could not load {path}: project is missing a 'name' attribute")
    if not settings.get("runtime"):
        raise InvalidInput(f"could not load {path}: project is missing a 'runtime' attribute")
    return Project(path, settings)


@dataclass(frozen=True)
class Selection:
    """Which stack is selected in a project, kept below `PULUMI_HOME` for each backend."""

    path: Path
    url: str

    def get(self) -> str:
        """The selected stack's full name, or an empty string."""
        settings = self._settings()
        return str((settings.get("stacks") or {}).get(self.url) or settings.get("stack") or "")

    def set(self, stack: str) -> None:
        """Select a stack by its full name; an empty string selects none."""
        stacks = dict(self._settings().get("stacks") or {})
        stacks.pop(self.url, None)
        if stack:
            stacks[self.url] = stack
        if not stacks:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_text(self.path, json.dumps({"stacks": stacks}, indent=4), 0o600)

    def _settings(self) -> dict[str, Any]:
        try:
            settings: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise InvalidInput(f"could not parse file {self.path}: {error}") from error
        return settings


def selection(project: Project, url: str, env: Mapping[str, str]) -> Selection:
    """The selection of a project on a backend."""
    digest = hashlib.sha1(str(project.path).encode(), usedforsecurity=False).hexdigest()
    return Selection(home(env) / "workspaces" / f"{project.name}-{digest}-workspace.json", url)


def home(env: Mapping[str, str]) -> Path:
    """The CLI's own folder."""
    return Path(env.get("PULUMI_HOME") or Path(env.get("HOME") or Path.home()) / ".pulumi")


def replace_text(path: Path, text: str, mode: int) -> None:
    """Put a text in the place of a file, whole or not at all."""
    descriptor, spare = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(spare).chmod(mode)
    Path(spare).replace(path)
