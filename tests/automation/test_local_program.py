"""Pulumi stacks through the Automation API, with real programs in real children; on the CLI too where there is one."""

import os
import shutil
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from alien_iac import automation, errors, programs, projects
from alien_iac.automation import Stack
from alien_iac.engine.command import EmbeddedPulumi
from alien_iac.steps import Step

PROGRAM = """
import os
import pulumi

pulumi.export("greeting", pulumi.Config().get("greeting") or "hello")
pulumi.export("credentials", os.environ.get("AWS_SECRET_ACCESS_KEY", "none"))
pulumi.export("passphrase", os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE", "none"))
pulumi.export("release", os.environ.get("ALIEN_RELEASE", "none"))
pulumi.log.warn("mind the gap")
"""


@pytest.fixture(scope="module", params=["embedded", pytest.param("cli", marks=pytest.mark.cli)])
def engine(request: pytest.FixtureRequest) -> PulumiCommand:
    if request.param == "cli" and not shutil.which("pulumi"):
        pytest.skip("the Pulumi CLI is not on PATH")
    return automation.find_engine("local", {**os.environ, automation.ENGINE: request.param})


def make(folder: Path, engine: PulumiCommand, program: str = PROGRAM, around: dict[str, str] | None = None) -> Stack:
    (folder / "program").mkdir(exist_ok=True)
    (folder / "program" / "__main__.py").write_text(program)
    state = folder / "state"
    state.mkdir(exist_ok=True)
    settings = {"name": "tiny", "runtime": "python", "main": "program", "backend": {"url": state.as_uri()}}
    projects.write_project(folder / "Pulumi.yaml", settings)
    environment = programs.scrubbed(around or {}, {"ALIEN_RELEASE": "7"})
    return Stack(
        folder=folder,
        name="acme",
        program=programs.Program(folder=folder / "program", environment=environment),
        command=engine,
        environment={"PULUMI_CONFIG_PASSPHRASE_FILE": str(projects.passphrase_file(folder))},
        home=folder / "home",
    )


def test_up_runs_the_program_and_gives_its_outputs(tmp_path: Path, engine: PulumiCommand) -> None:
    stack = make(tmp_path, engine)
    projects.write_config(tmp_path / "Pulumi.acme.yaml", {"tiny:greeting": "moin"})
    seen: list[Step] = []
    outcome = automation.up(stack, observe=seen.append)
    assert outcome.outputs["greeting"] == "moin"
    assert outcome.outputs["release"] == "7"
    assert outcome.changes == {"create": 1}
    assert "mind the gap" in outcome.messages
    assert [s.operation for s in seen if s.kind == "done"] == ["create"]
    assert automation.up(stack).changes == {"same": 1}


def test_the_program_sees_neither_credentials_nor_the_passphrase(
    tmp_path: Path, engine: PulumiCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    stack = make(tmp_path, engine, around={"AWS_SECRET_ACCESS_KEY": "planted", "PATH": "/usr/bin"})
    outcome = automation.up(stack)
    assert outcome.outputs["credentials"] == "none"
    assert outcome.outputs["passphrase"] == "none"


def test_preview_changes_nothing(tmp_path: Path, engine: PulumiCommand) -> None:
    stack = make(tmp_path, engine)
    assert automation.preview(stack).changes == {"create": 1}
    assert automation.outputs(stack).outputs == {}


def test_a_program_that_raises_is_one_message_with_its_place(tmp_path: Path, engine: PulumiCommand) -> None:
    stack = make(tmp_path, engine, "import pulumi\n\n\ndef broken():\n    return {}['bucket']\n\n\nbroken()\n")
    with pytest.raises(errors.UpdateFailed) as raised:
        automation.up(stack)
    text = str(raised.value)
    assert "KeyError: 'bucket'" in text
    assert "__main__.py, line 5" in text
    assert "Traceback" not in text


def test_a_program_that_is_not_there_says_so(tmp_path: Path, engine: PulumiCommand) -> None:
    stack = make(tmp_path, engine)
    (tmp_path / "program" / "__main__.py").unlink()
    with pytest.raises(errors.UpdateFailed, match="could not be started"):
        automation.up(stack)


def test_a_locked_stack_is_a_conflict_and_cancel_frees_it(tmp_path: Path, engine: PulumiCommand) -> None:
    stack = make(tmp_path, engine)
    automation.up(stack)
    lock = tmp_path / "state/.pulumi/locks/organization/tiny/acme/1.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text('{"pid": 1, "username": "u", "hostname": "h", "timestamp": "2026-01-01T00:00:00Z"}')
    with pytest.raises(errors.Conflict, match="another update holds"):
        automation.up(stack)
    automation.cancel(stack)
    assert automation.up(stack).changes == {"same": 1}


def test_what_is_not_there_is_not_found(tmp_path: Path, engine: PulumiCommand) -> None:
    stack = make(tmp_path, engine)
    with pytest.raises(errors.NotFound, match="no Pulumi stack acme"):
        automation.outputs(stack)
    with pytest.raises(errors.NotFound):
        automation.destroy(stack)


def test_destroy_empties_the_stack(tmp_path: Path, engine: PulumiCommand) -> None:
    stack = make(tmp_path, engine)
    automation.up(stack)
    assert automation.kept(stack) == ()
    assert automation.destroy(stack).changes == {"delete": 1}


def test_a_cloud_platform_without_the_cli_names_what_installs_it() -> None:
    with pytest.raises(errors.Missing, match="alien doctor --install"):
        automation.find_engine("aws", {"PATH": "/nowhere"})
    with pytest.raises(errors.Missing, match="asks for it"):
        automation.find_engine("local", {"PATH": "/nowhere", "ALIEN_ENGINE": "cli"})
    with pytest.raises(errors.InvalidInput, match="cli or embedded"):
        automation.find_engine("local", {"ALIEN_ENGINE": "go"})
    assert isinstance(automation.find_engine("local", {"PATH": "/nowhere"}), EmbeddedPulumi)
