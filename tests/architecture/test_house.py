"""What the import contracts cannot say: doors of third parties, sizes, and names that say nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("alien_iac", "providers", "stacks", "examples", "bench")
FILES = sorted(path for folder in SOURCES for path in (ROOT / folder).rglob("*.py"))
FILE_LINES, FUNCTION_LINES = 400, 50

DOORS = {
    "pulumi.automation": {"alien_iac/automation.py", "alien_iac/engine/command.py", "bench"},
    "dbos": {"alien_iac/rollout/effects.py"},
    "click": {"alien_iac/cli"},
    "fastapi": {"alien_iac/control", "bench"},
    "sqlalchemy": {"alien_iac/control", "bench"},
    "supervisor": {"alien_iac/plugin"},
}


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 100


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_its_doors(library: str) -> None:
    users = {
        named(path)
        for path in FILES
        if any(f"{name}.".startswith(f"{library}.") for name in imports(ast.parse(path.read_text(encoding="utf-8"))))
    }
    strangers = {user for user in users if not any(user.startswith(door) for door in DOORS[library])}
    assert users, f"nobody imports {library} any more: take its door away"
    assert not strangers


def test_files_and_functions_stay_small() -> None:
    long = []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > FILE_LINES:
            long.append(f"{named(path)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > FUNCTION_LINES:
                    long.append(f"{named(path)}:{node.lineno} {node.name}: {size} lines")
    assert not long


def test_names_say_something() -> None:
    assert not [named(path) for path in FILES if path.stem in {"utils", "helpers", "common", "misc", "manager"}]
