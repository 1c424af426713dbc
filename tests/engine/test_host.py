"""Programs in folders: run in a child by the engine, or served by a child that somebody else started."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pulumi
import pulumi.automation as auto
import pytest
from engine.probe_programs import Thing
from engine.probed import Probed, environment
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from alien_iac.engine.command import EmbeddedPulumi

PROGRAM = """
import os, sys, pulumi
from beside import NAME
print("said by the program")
pulumi.log.warn("a warning")
config = pulumi.Config()
pulumi.export("name", NAME)
pulumi.export("secret", config.require_secret("password"))
pulumi.export("there", os.getcwd() == os.path.dirname(os.path.abspath(__file__)))
if config.get_bool("raises"):
    raise ValueError("it breaks")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: in-folder\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n")
    for part in ("backend", "world"):
        (tmp_path / part).mkdir()
    return tmp_path


@pytest.fixture
def stack(folder: Path) -> auto.Stack:
    options = auto.LocalWorkspaceOptions(env_vars=environment(folder), pulumi_command=EmbeddedPulumi())
    made = auto.create_stack("s", work_dir=str(folder), opts=options)
    made.set_config("password", auto.ConfigValue("hunter2", secret=True))
    return made


def test_a_program_in_a_folder_runs_in_a_child(stack: auto.Stack) -> None:
    result = stack.up()
    assert {k: v.value for k, v in result.outputs.items()} == {"name": "beside", "secret": "hunter2", "there": True}
    assert result.outputs["secret"].secret
    assert "said by the program" in result.stdout
    assert "warning: a warning" in result.stdout
    assert result.summary.resource_changes == {"create": 1}


def test_what_a_program_raises_is_shown_from_its_own_lines_on(stack: auto.Stack) -> None:
    stack.set_config("raises", auto.ConfigValue("true"))
    with pytest.raises(auto.errors.RuntimeError) as raised:
        stack.up()
    said = str(raised.value)
    assert "error: Program failed with an unhandled exception:" in said
    assert "ValueError: it breaks" in said
    assert "runpy" not in said


def test_a_folder_without_a_program_is_named(folder: Path, stack: auto.Stack) -> None:
    (folder / "__main__.py").unlink()
    with pytest.raises(auto.errors.CommandError, match=r"unable to find main python program `__main__\.py`"):
        stack.up()


@pytest.fixture
def child(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "alien_iac.host", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with process:
        yield process
        process.kill()


def port(child: "subprocess.Popen[str]") -> int:
    assert child.stdout
    return int(child.stdout.readline())


def test_a_child_serves_its_program_to_any_engine(child: "subprocess.Popen[str]") -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port(child)}") as channel:
        stub = language_pb2_grpc.LanguageRuntimeStub(channel)
        assert stub.About(language_pb2.AboutRequest()).executable == sys.executable
        assert not stub.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest()).packages
        assert stub.GetPluginInfo(empty_pb2.Empty()).version == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_child_ends_on_a_signal(child: "subprocess.Popen[str]", number: int) -> None:
    port(child)
    child.send_signal(number)
    assert child.wait(10) == 0


def test_a_child_ends_with_whoever_started_it(child: "subprocess.Popen[str]") -> None:
    port(child)
    assert child.stdin
    child.stdin.close()
    assert child.wait(10) == 0


def test_events_can_go_to_a_file(folder: Path, stack: auto.Stack) -> None:
    log = folder / "events.jsonl"
    arguments = ["up", "--yes", "--skip-preview", "--event-log", str(log), "--stack", "s"]
    EmbeddedPulumi().run(arguments, str(folder), environment(folder))
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [event["sequence"] for event in events] == list(range(len(events)))
    assert "preludeEvent" in events[0]
    assert "summaryEvent" in events[-2]
    assert "cancelEvent" in events[-1]
    assert "hunter2" not in log.read_text()
    assert stack.name == "s"


def test_many_stacks_at_once_are_kept_apart(tmp_path: Path) -> None:
    command = EmbeddedPulumi()

    def one(number: int) -> object:
        folder = tmp_path / str(number)
        folder.mkdir()
        probed = Probed(folder, command, name=f"s{number}")

        def program() -> None:
            pulumi.export("stack", pulumi.get_stack())
            pulumi.export("value", Thing("a", value=str(number)).value)

        probed.up(program)
        return {k: v.value for k, v in probed.stack.outputs().items()}

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))) == [{"stack": f"s{n}", "value": str(n)} for n in range(4)]
