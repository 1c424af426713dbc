"""Loads a workload's code: `main.py` of a folder, and what it imports from there."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from alien_iac.errors import InvalidInput, NotFound
from alien_iac.runtime import handlers
from alien_iac.runtime.handlers import Handlers

MAIN = "main.py"
REQUIREMENTS = ".python"
"""Folder beside `main.py` with the vendor's installed requirements; packaging makes it."""


@dataclass(frozen=True)
class Program:
    """A workload's code, loaded."""

    main: ModuleType
    handlers: Handlers

    @property
    def asgi(self) -> object | None:
        """The module-level ASGI `app`, for the HTTP of a public Function."""
        found: object | None = getattr(self.main, "app", None)
        return found


def load(folder: Path) -> Program:
    """Import `main.py` of the folder, as the module `main`.

    NotFound where there is none. InvalidInput where two handlers want one event. What the code raises while it is
    imported passes through, with its traceback.
    """
    path = folder.resolve() / MAIN
    if not path.is_file():
        raise NotFound(f"{folder} has no {MAIN}", hint="a source folder needs a main.py with its handlers")
    _make_importable(path.parent)
    spec = importlib.util.spec_from_file_location("main", path)
    if spec is None or spec.loader is None:
        raise InvalidInput(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules["main"] = module
    spec.loader.exec_module(module)
    return program(module)


def program(main: ModuleType) -> Program:
    """The program whose main module this is, with the handlers of every module of its folder that is loaded."""
    file = getattr(main, "__file__", None)
    others = _modules_of(Path(file).resolve().parent) if file else ()
    return Program(main, handlers.collect((main, *others)))


def _make_importable(folder: Path) -> None:
    requirements = folder / REQUIREMENTS
    for path in (str(requirements), str(folder)) if requirements.is_dir() else (str(folder),):
        if path not in sys.path:
            sys.path.insert(0, path)


def _modules_of(folder: Path) -> Iterator[ModuleType]:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if not file or not Path(file).is_relative_to(folder):
            continue
        parts = Path(file).relative_to(folder).parts
        # Not the vendor's requirements, nor a virtual environment that lies in the folder.
        if REQUIREMENTS not in parts and "site-packages" not in parts:
            yield module
