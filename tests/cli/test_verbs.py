"""The table of verbs: light to list, whole, and alike in its manners."""

import subprocess
import sys

import click
import pytest

from alien_iac import cli

HEAVY = {"pulumi", "fastapi", "sqlalchemy", "dbos", "httpx", "pydantic", "tuf"}


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        children = {name: command.get_command(context, name) for name in command.list_commands(context)}
        return [leaf for name, child in children.items() if child for leaf in leaves(child, (*path, name))]
    return [(path, command)]


LEAVES = leaves(cli.cli)


def test_help_imports_no_verb() -> None:
    script = (
        "import sys\nfrom alien_iac.cli import main\ntry:\n    main(['--help'])\n"
        f"finally:\n    loaded = {HEAVY!r} & set(sys.modules)\n    assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "release" in done.stdout


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_exists_and_has_help(verb: str) -> None:
    found = cli.cli.get_command(click.Context(cli.cli), verb)
    assert found is not None
    assert found.help


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[" ".join(path) for path, _ in LEAVES])
def test_every_command_takes_json_and_explains_its_options(path: tuple[str, ...], command: click.Command) -> None:
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert any("--json" in one.opts for one in options), path
    assert not [one.name for one in options if not one.help]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["nonsense"], 2, "No such command"),
        (["deployments", "ls", "--control-plane", "http://127.0.0.1:9"], 5, "no token"),
        (["deployments", "ls"], 2, "--control-plane"),
    ],
)
def test_bad_input_is_one_message_and_an_exit_code(
    words: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == code
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told


def test_a_control_plane_that_is_down(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIEN_TOKEN", "a-token")
    with pytest.raises(SystemExit) as ended:
        cli.main(["deployments", "ls", "--control-plane", "http://127.0.0.1:9"])
    assert ended.value.code == 7
    told = capsys.readouterr().err
    assert "http://127.0.0.1:9 does not answer" in told
    assert "a-token" not in told
