"""A first run, and everything that is wrong in one: a single message with where, what and what next, no traceback."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cli.command_line import Shell, processes_below

PROGRAM = Path("stacks") / "__main__.py"
CONFIG = Path("stacks") / "Pulumi.acme.yaml"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that `alien init` made in an empty folder, with one customer."""
    folder = tmp_path_factory.mktemp("begun")
    shell = Shell(folder, tmp_path_factory.mktemp("home"))
    shell.done("init")
    shell.done("init", "acme", "--platform", "local")
    return folder


@pytest.fixture
def shell(begun: Path, tmp_path: Path) -> Shell:
    """A terminal in such a project, with nothing deployed yet."""
    (tmp_path / "home").mkdir()
    return Shell(shutil.copytree(begun, tmp_path / "project"), tmp_path / "home")


def refused(shell: Shell, *words: str, code: int, says: tuple[str, ...], given: str = "") -> str:
    """What a command says that is refused: one message, each of `says` in it."""
    ended = shell.alien(*words, given=given)
    told = ended.stderr
    assert ended.returncode == code, told
    assert told.count("error:") == 1
    assert "Traceback" not in told
    assert not [text for text in says if text not in told], told
    return told


@pytest.mark.slow
def test_a_first_run_from_an_empty_folder(shell: Shell) -> None:
    with shell.up("acme") as workloads:
        assert set(workloads) == {"worker"}
        again = shell.alien("up", "acme", "--yes")
        assert "acme is up to date: " in again.stdout
        assert "created" not in again.stdout
        assert "http://127.0.0.1:" in again.stdout
        assert "function ready" in shell.alien("logs", "worker", "--customer", "acme").stdout
    assert shell.alien("destroy", "acme", "--yes").stdout.strip() == "acme was down"
    assert not processes_below(shell.folder)


@pytest.mark.slow
def test_up_starts_again_what_a_restarted_machine_has_lost(shell: Shell) -> None:
    with shell.up("acme") as workloads:
        health = workloads["worker"]["invoke"]["url"].replace("commands", "health")
        (pid,) = shell.folder.glob(".alien/acme-*/supervisor/supervisord.pid")
        os.kill(int(pid.read_text()), signal.SIGKILL)
        assert until(lambda: not answers(health))
        shell.done("up", "acme", "--yes")
        assert until(lambda: answers(health))


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)
    return holds()


@pytest.mark.parametrize("name", ["Bad_Name", "a/b", "../up", "a" * 40, "9lives"])
def test_a_customer_with_a_bad_name(shell: Shell, name: str) -> None:
    refused(shell, "init", name, "--platform", "local", code=2, says=(f'"{name}"', "lower-case", "acme"))
    assert sorted(path.name for path in shell.folder.rglob("Pulumi.*")) == ["Pulumi.acme.yaml", "Pulumi.yaml"]


def test_init_where_something_is_already(shell: Shell) -> None:
    refused(shell, "init", code=4, says=(str(shell.folder), "Pulumi.yaml", "--project"))
    refused(shell, "init", "acme", "--platform", "local", code=4, says=(str(CONFIG), "prefix"))


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("init", "globex"), 2, ("platform", "--platform aws, gcp, azure or local")),
        (("init", "--platform", "local"), 2, ("for a customer", "alien init acme")),
        (("init", "globex", "--platform", "local", "--config", "nonsense"), 2, ("nonsense", "aws:region=eu-west-1")),
        (("init", "globex", "--platform", "local", "--project", "nowhere"), 3, ("nowhere", "--project")),
        (("up", "globex", "--yes"), 3, ("Pulumi.globex.yaml", "alien init globex --platform local")),
        (("up", "acme"), 2, ("not a terminal", "--yes")),
        (("destroy", "acme"), 3, ("no Pulumi stack acme", "alien up acme")),
        (("logs", "worker"), 2, ("which deployment", "--customer")),
        (("logs", "worker", "--customer", "acme"), 3, ("no workload 'worker'",)),
        (("secret", "set", "crm", "--customer", "acme"), 2, ("is empty", "standard input")),
        (("secret", "set", "../crm", "--customer", "acme"), 2, ('"../crm"', "alien.Secret")),
    ],
)
def test_a_command_that_asks_for_what_is_not_there(
    shell: Shell, words: tuple[str, ...], code: int, says: tuple[str, ...]
) -> None:
    refused(shell, *words, code=code, says=says)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("enrol", "Bad_Name", "--platform", "local"), ('"Bad_Name" cannot name a customer', "such as acme")),
        (("enrol", "acme", "--platform", "local", "--label", "gold"), ("not KEY=VALUE: gold", "tier=gold")),
        (("make", "ci", "--scope", "read", "--lasts", "soon"), ('--lasts: "soon" is not a duration', '"3m"')),
    ],
)
def test_a_vendor_who_asks_for_what_cannot_be(tmp_path: Path, words: tuple[str, ...], says: tuple[str, ...]) -> None:
    vendor = Shell(tmp_path, tmp_path, {"ALIEN_CONTROL_PLANE": "http://127.0.0.1:9", "ALIEN_TOKEN": "a-token"})
    refused(vendor, "token", *words, code=2, says=says)


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    refused(Shell(tmp_path, tmp_path), "up", "acme", "--yes", code=3, says=("Pulumi.yaml", str(tmp_path), "alien init"))


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ('raise RuntimeError("boom")', 8, ("RuntimeError: boom", f"{PROGRAM}, line 8", "run it again")),
        ("import no_such_module", 8, ("No module named 'no_such_module'", f"{PROGRAM}, line 8")),
        ("def f(:", 8, ("SyntaxError", f'{PROGRAM}", line 8')),
        ('alien.Queue("Bad_Name", max_recieves=9)', 2, ('"Bad_Name" is not an id', 'did you mean "max_receives"?')),
        ('alien.Function("other", source="./nope")', 2, ("stacks/nope", "SOURCE_MISSING")),
    ],
)
def test_a_stack_program_that_is_wrong(shell: Shell, line: str, code: int, says: tuple[str, ...]) -> None:
    file = shell.folder / PROGRAM
    file.write_text(f"{file.read_text()}{line}\n")
    refused(shell, "up", "acme", "--yes", code=code, says=says)
    assert not list(shell.folder.rglob("supervisor"))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("alien:customer:", "alien:retian: true\n  alien:customer:", ("alien:retian", 'did you mean "retain"?')),
        ("alien:prefix:", "other:prefix:", ("alien:prefix", "does not have it", "alien init")),
        ("alien:platform: local", "other:platform: local", ("Pulumi.acme.yaml", "no alien:platform", "local")),
        ("alien:platform: local", "alien:platform: mars", ('the alien:platform "mars"', "aws, azure, gcp, local")),
        ("alien:customer: acme", "alien:controlPlane: nonsense", ("alien:controlPlane", '"nonsense"', "https://")),
        ("alien:customer: acme", "alien:customer: [", ("Pulumi.acme.yaml", "is not YAML")),
    ],
)
def test_a_config_with_a_missing_an_unknown_or_a_wrong_key(
    shell: Shell, before: str, after: str, says: tuple[str, ...]
) -> None:
    file = shell.folder / CONFIG
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))
    refused(shell, "up", "acme", "--yes", code=2, says=says)


def test_a_cloud_without_the_pulumi_cli(shell: Shell) -> None:
    shell.done("init", "globex", "--platform", "aws", "--config", "aws:region=eu-west-1")
    bare = Shell(shell.folder, shell.home, {"ALIEN_ENGINE": ""})
    refused(bare, "up", "globex", "--yes", code=6, says=("aws", "alien doctor --install"))


@pytest.mark.slow
def test_handlers_that_do_not_load(shell: Shell) -> None:
    (shell.folder / "stacks" / "worker" / "main.py").write_text("no_such_name\n")
    try:
        told = shell.alien("up", "acme", "--yes").stderr
        log = shell.alien("logs", "worker", "--customer", "acme").stdout
    finally:
        shell.done("destroy", "acme", "--yes")
    assert told.count("error:") == 1
    assert "what it said is in" in told
    assert "NameError: name 'no_such_name' is not defined" in log
    assert not processes_below(shell.folder)
