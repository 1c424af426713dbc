"""The wheel as a stranger gets it: built from the sources, installed into an empty environment, and used there."""

import subprocess
import sys
from pathlib import Path

import pytest
import uv

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints.txt"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WORKLOAD = """
import sys
import alien_iac
from alien_iac.runtime import command, kv, on_message, queue, secret, storage
from alien_iac.runtime import serve
assert not {"pulumi", "fastapi", "dbos", "sqlalchemy"} & set(sys.modules), "a workload pays for what it does not use"
import alien_iac_local
assert set(alien_iac_local.MAPPING) >= {"Container", "Function", "Kv", "Queue", "Secret", "Storage"}
"""


def run(*words: str, ok: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    assert (done.returncode == 0) is ok, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(uv.find_uv_bin(), "build", "--wheel", "--out-dir", str(out), str(ROOT))
    (made,) = out.glob("alien_iac-*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean") / "venv"
    run(uv.find_uv_bin(), "venv", "--python", sys.executable, str(folder))
    interpreter = folder / "bin" / "python"
    install = ("pip", "install", "--python", str(interpreter), "-c", str(CONSTRAINTS), str(wheel))
    run(uv.find_uv_bin(), *install)
    return interpreter


def test_a_workload_needs_the_base_alone(python: Path) -> None:
    run(str(python), "-W", "error", "-c", WORKLOAD)


def test_what_is_missing_is_said_with_the_line_that_installs_it(python: Path) -> None:
    said = run(str(python), "-c", "import alien_iac; alien_iac.Storage", ok=False)
    assert "pip install 'alien-iac[deploy]'" in said
    for words in (["doctor"], ["up", "acme"]):
        said = run(str(python.with_name("alien")), *words, ok=False)
        assert "pip install 'alien-iac[deploy]'" in said
        assert "Traceback" not in said


def test_everything_of_ours_is_in_the_wheel_and_nothing_else(python: Path) -> None:
    listing = "from importlib.metadata import files; print(*sorted({str(f).split('/')[0] for f in files('alien-iac')}))"
    top = {name for name in run(str(python), "-c", listing).split() if not name.endswith(".dist-info") and name != ".."}
    assert top == {"alien_iac", *(path.name for path in (ROOT / "providers").iterdir() if path.is_dir())}
