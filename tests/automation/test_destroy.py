"""Taking a deployment down, with the real components and the real plugin: data stays, and it is said which."""

import sys
from pathlib import Path

import pytest

from alien_iac import automation, errors, programs, projects
from alien_iac.automation import Stack
from alien_iac.engine.command import EmbeddedPulumi

PROGRAM = """
import alien_iac as alien

alien.Storage("files")
alien.Kv("seen")
"""
PLUGIN = Path(sys.executable).parent


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "__main__.py").write_text(PROGRAM)
    state = tmp_path / "state"
    state.mkdir()
    settings = {
        "name": "tiny",
        "runtime": "python",
        "main": "program",
        "backend": {"url": state.as_uri()},
        "plugins": {"providers": [{"name": "alien", "path": str(PLUGIN)}]},
    }
    projects.write_project(tmp_path / "Pulumi.yaml", settings)
    projects.init(tmp_path, "acme", "local", {"alien:localDir": str(tmp_path / "data")})
    return Stack(
        folder=tmp_path,
        name="acme",
        program=programs.Program(folder=tmp_path / "program", environment=programs.scrubbed({}, {"PATH": "/usr/bin"})),
        command=EmbeddedPulumi(),
        environment={"PULUMI_CONFIG_PASSPHRASE_FILE": str(projects.passphrase_file(tmp_path))},
        home=tmp_path / "home",
    )


def test_data_stays_when_the_deployment_goes(stack: Stack) -> None:
    automation.up(stack)
    kept = automation.kept(stack)
    assert [(one.id, one.type) for one in kept] == [("files", "storage"), ("seen", "kv")]
    planted = Path(kept[0].place) / "a.txt"
    planted.write_text("precious")
    changes = automation.destroy(stack).changes
    assert changes["delete"] >= 2
    assert planted.read_text() == "precious"
    assert automation.outputs(stack).outputs == {}


def test_what_the_checks_refuse_is_told_once_and_makes_nothing(stack: Stack) -> None:
    (stack.program.folder / "__main__.py").write_text(PROGRAM + 'alien.Storage("Files--")\n')
    with pytest.raises(errors.InvalidInput) as raised:
        automation.up(stack)
    text = str(raised.value)
    assert text.startswith("the stack has 1 error(s), and nothing was created")
    assert text.count("Files--") == text.splitlines()[1].count("Files--")
    assert "Traceback" not in text
    assert not (stack.folder / "data").exists()
