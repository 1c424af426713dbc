"""`alien review` as a person runs it: no credentials, no network, no home."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cli.command_line import ALIEN, Shell
from review.review_project import FULL, TWO, Reviewed


@pytest.fixture
def shell(project: Reviewed, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(project.folder, tmp_path_factory.mktemp("home"))


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


def test_it_prints_text_and_json_and_writes_the_page(shell: Shell) -> None:
    text = shell.alien("review", "--platform", "local", "--html", "review.html")
    assert text.returncode == 0, text.stderr
    assert "alien:local:Process worker" in text.stdout
    assert "<svg" in (shell.folder / "review.html").read_text()
    assert shell.done("review", "--platform", "local")["platform"] == "local"


def test_an_error_finding_is_exit_code_one(shell: Shell) -> None:
    Reviewed(shell.folder).with_program(TWO + '\nalien.Function("other", source="./nowhere")\n')
    ended = shell.alien("review", "--platform", "local", "--json")
    assert ended.returncode == 1
    assert [one["code"] for one in json.loads(ended.stdout)["findings"]] == ["SOURCE_MISSING"]


def test_against_a_file_and_a_git_ref(shell: Shell) -> None:
    folder = shell.folder
    (folder / "before.json").write_text(json.dumps(shell.done("review", "--platform", "local")))
    git(folder, "init", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--message", "first")
    Reviewed(folder).with_program(FULL.replace('alien.Kv("sessions")', 'alien.Kv("state")'))
    for before in ("before.json", "main"):
        found = shell.done("review", "--platform", "local", "--against", before)["difference"]
        assert "state" in {one["name"] for one in found["added"]}
        assert "sessions" in {one["name"] for one in found["removed"]}
    text = shell.alien("review", "--platform", "local", "--against", "main").stdout
    assert "+ alien:local:Kv state" in text


def test_the_rules_are_written_as_a_pack_for_pulumis_own_cli(shell: Shell) -> None:
    shell.done("review", "--platform", "local", "--policy-pack", "rules")
    assert (shell.folder / "rules/PulumiPolicy.yaml").is_file()
    assert (shell.folder / "rules/requirements.txt").read_text().startswith("alien-iac[policy]==")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--stack", "nobody"], "there is no"),
        (["--against", "nothing-such"], "is no file, no release that was reviewed here, and no git ref"),
        (["--permissions", "here"], "local needs no permissions"),
    ],
)
def test_bad_input_is_one_line(shell: Shell, words: list[str], said: str) -> None:
    ended = shell.alien("review", "--platform", "local", *words)
    assert ended.returncode in {2, 3}
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def isolated() -> list[str] | None:
    """What runs a command where there is no network but loopback; None where this machine cannot."""
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if not all(shutil.which(program) for program in ("unshare", "ip")):
        return None
    works = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    return command if works else None


def test_it_needs_no_network(shell: Shell) -> None:
    before = isolated()
    if before is None:
        pytest.skip("this machine cannot take the network away from a process")
    command = [*before, str(ALIEN), "review", "--platform", "local", "--json"]
    ended = subprocess.run(
        command, cwd=shell.folder, env=shell.environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["resources"]
