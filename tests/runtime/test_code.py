"""Loading a workload's code: its handlers, what is described of them, and what the import costs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from runtime.runtime_workload import ROOT, Machine

import alien_iac.runtime
from alien_iac.errors import InvalidInput
from alien_iac.runtime import command, handlers

CODE = '''
import asyncio
from alien_iac.runtime import command
from jobs import work
print("noise while it loads")

@command("read-file")
async def read_file(path: str, limit: int = 10) -> str:
    """Read a file
    of theirs.

    More about it."""
    return path
'''

JOBS = """
from alien_iac.runtime import command, on_message

@command("zip")
def work(): ...

@on_message("jobs")
def unimported(job): ...
"""


def describe(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "alien_iac.runtime.describe", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )


def test_commands_are_described(machine: Machine) -> None:
    folder = machine.source(CODE)
    (folder / "jobs.py").write_text(JOBS)
    done = describe(folder, "--resource", "worker")
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    assert (first["name"], first["resource"]) == ("read-file", "worker")
    assert first["description"] == "Read a file of theirs."
    assert first["parameters"]["required"] == ["path"]
    assert second["name"] == "zip"
    assert "noise" in done.stderr


@pytest.mark.parametrize(
    ("code", "status", "text"),
    [
        ("raise RuntimeError('at the top')", 1, "at the top"),
        ("from alien_iac.runtime import command\n@command('a')\ndef f(x, /): ...", 2, "main.f"),
        (
            "from alien_iac.runtime import command\n@command('a')\ndef f(): ...\n@command('a')\ndef g(): ...",
            2,
            "more than one handler",
        ),
        ("import alien_iac.runtime as r\n@r.command('not a name')\ndef f(): ...", 1, "cannot name a command"),
    ],
)
def test_code_that_is_wrong(machine: Machine, code: str, status: int, text: str) -> None:
    done = describe(machine.source(code))
    assert done.returncode == status
    assert text in done.stderr
    assert done.stdout == ""


def test_a_folder_without_main(tmp_path: Path) -> None:
    done = describe(tmp_path)
    assert done.returncode == 3
    assert "main.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_requirements_beside_the_code_are_importable(machine: Machine) -> None:
    folder = machine.source("import theirs\nfrom alien_iac.runtime import command\n@command(theirs.NAME)\ndef f(): ...")
    (folder / ".python").mkdir()
    (folder / ".python" / "theirs.py").write_text("NAME = 'from-a-requirement'")
    assert json.loads(describe(folder).stdout)[0]["name"] == "from-a-requirement"


def test_a_decorated_function_is_the_function() -> None:
    @command("one")
    @command("two")
    def add(a: int) -> int:
        return a + 1

    assert add(1) == 2
    module = type(sys)("somewhere")
    vars(module).update(add=add, again=add, other=object())
    assert sorted(handler.name for handler in handlers.collect([module, module]).all) == ["one", "two"]
    vars(module).update(second=command("one")(lambda: None))
    with pytest.raises(InvalidInput, match="one"):
        handlers.collect([module])


def test_public_names() -> None:
    assert sorted(alien_iac.runtime.__all__) == alien_iac.runtime.__all__
    for name in alien_iac.runtime.__all__:
        assert callable(getattr(alien_iac.runtime, name))
    with pytest.raises(AttributeError, match="nothing"):
        _ = alien_iac.runtime.nothing


def test_the_import_loads_nothing_heavy() -> None:
    code = (
        "import sys, alien_iac.runtime\n"
        "heavy = {'pydantic', 'obstore', 'httpx', 'watchfiles', 'uvicorn', 'starlette', 'cryptography', 'sqlite3',"
        " 'asyncio', 'pulumi', 'boto3', 'botocore', 'google', 'azure'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    assert done.stdout.strip() == "[]"
