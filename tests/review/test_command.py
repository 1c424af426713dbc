"""`alien review` as a person runs it: no credentials, no network, no home."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli.command_line import ALIEN, Shell
from review.review_project import FULL, TWO, Reviewed

from alien_iac import platforms
from alien_iac.models.platform import Platform


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


CLOUDS = [each.value for each in platforms.installed() if each is not Platform.LOCAL]
REFUSING = """
import ipaddress, sys

def refuse(event, arguments):
    where = arguments[1] if event in {"socket.connect", "socket.bind", "socket.sendto"} else None
    named = event in {"socket.getaddrinfo", "socket.gethostbyname"} and arguments[0]
    host = str(named or (where[0] if isinstance(where, tuple) else "localhost"))
    if host not in {"localhost", ""} and not ipaddress.ip_address(host).is_loopback:
        raise PermissionError(f"{host} is not this machine")

sys.addaudithook(refuse)
"""


def isolated() -> list[str]:
    """What runs a command where there is no network but loopback; nothing where this machine cannot."""
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if not all(shutil.which(program) for program in ("unshare", "ip")):
        return []
    works = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    return command if works else []


def test_what_refuses_sockets_does(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(REFUSING)
    for host, code in (("192.0.2.1", 1), ("127.0.0.1", 0)):
        program = f"import socket; s = socket.socket(); s.settimeout(0.1); s.connect_ex(({host!r}, 9))"
        environment = {"PYTHONPATH": str(tmp_path)}
        ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=False)
        assert ended.returncode == code


@pytest.mark.parametrize("platform", ["local", *(pytest.param(each, marks=pytest.mark.slow) for each in CLOUDS)])
def test_it_needs_no_network(shell: Shell, platform: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    hook = tmp_path_factory.mktemp("hook")
    (hook / "sitecustomize.py").write_text(REFUSING)
    command = [*isolated(), str(ALIEN), "review", "--platform", platform, "--json"]
    environment = {**shell.environment, "PYTHONPATH": str(hook)}
    ended = subprocess.run(
        command, cwd=shell.folder, env=environment, capture_output=True, text=True, check=False, timeout=110
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["resources"]
