"""Updates around the engine proper: what it is given, what is recorded, and how it is stopped."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import pulumi
import pulumi.automation as auto
import pytest
from engine.files_workspace import PROJECT, Files, thing

from alien_iac.engine.command import EmbeddedPulumi
from alien_iac.engine.model import Operation, Request, Snapshot


def test_a_request_says_all_that_the_files_say(files: Files) -> None:
    (files.work / "Pulumi.yaml").write_text(
        f"name: {PROJECT}\nruntime: python\nmain: program\nplugins:\n  providers:\n    - name: own\n      path: ./bin\n"
    )
    files.adopt_recorded_stack()
    files.stack().up()
    (request,) = files.recorder.requests
    assert (request.organization, request.project, request.stack) == ("organization", PROJECT, "s")
    assert (request.work_dir, request.main) == (files.work, files.work / "program")
    assert request.plugins == {"own": files.work / "bin"}
    assert request.config["probe-test:password"] == "swordfish"
    assert request.secret_keys == {"probe-test:b", "probe-test:password"}
    assert request.snapshot.resources[2].id == "s-da50c0"
    assert request.env["PULUMI_CONFIG_PASSPHRASE"] == "probe"


def test_progress_reaches_the_listener_and_the_result(files: Files) -> None:
    lines: list[str] = []
    result = files.stack().up(on_output=lines.append)
    assert lines == ["update of s"]
    assert result.stdout == "update of s"
    assert result.summary.result == "succeeded"


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        ("update failed", "error: update failed", 1),
        ("", "", 1),
        ("no changes were expected for update but changes were proposed", "error: no changes", 7),
        ("update cancelled", "error: update cancelled", 8),
    ],
)
def test_failures(files: Files, error: str, said: str, code: int) -> None:
    stack = files.stack()
    files.recorder.error = error
    with pytest.raises(auto.errors.CommandError) as failure:
        stack.up()
    assert f" code: {code}\n stdout: update of s\n stderr: {said}" in str(failure.value)
    assert stack.history()[0].result == "failed"
    assert not list((files.state / "locks").rglob("*.json"))


def test_a_preview_records_nothing(files: Files) -> None:
    files.stack()
    before = files.listing(), files.state_file.read_bytes()
    files.run("preview")
    files.run("destroy", "--preview-only")
    assert (files.listing(), files.state_file.read_bytes()) == before
    assert [request.dry_run for request in files.recorder.requests] == [False, True]


def test_pending_creates_are_forgotten_on_demand(files: Files) -> None:
    stack = files.stack()

    def break_off(request: Request, _cancelled: threading.Event) -> None:
        pending = tuple(Operation(thing("s", kind, custom=True), kind) for kind in ("creating", "updating"))
        request.journal.save(Snapshot((), pending))
        raise OSError("the disk is gone")

    files.recorder.during = break_off
    with pytest.raises(auto.errors.CommandError, match="the disk is gone"):
        stack.up()
    files.recorder.during = lambda _request, _cancelled: None
    stack.refresh(clear_pending_creates=True)
    assert [pending.type for pending in files.recorder.requests[-1].snapshot.pending_operations] == ["updating"]


def test_a_project_that_always_refreshes(files: Files) -> None:
    (files.work / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\noptions:\n  refresh: always\n")
    files.stack().up()
    files.run("up", "--refresh=false")
    assert [request.refresh for request in files.recorder.requests] == [True, False]


def test_the_engine_proper_behind_the_real_api(files: Files) -> None:
    def program() -> None:
        pulumi.export("word", pulumi.Output.secret("hunter2"))
        pulumi.export("who", pulumi.Config().require("who"))

    options = files.options()
    options.pulumi_command = EmbeddedPulumi()
    stack = auto.create_stack("s", project_name=PROJECT, program=program, opts=options)
    stack.set_config("who", auto.ConfigValue("ann"))
    assert stack.preview().change_summary == {"create": 1}
    result = stack.up()
    assert {key: (value.value, value.secret) for key, value in result.outputs.items()} == {
        "who": ("ann", False),
        "word": ("hunter2", True),
    }
    assert result.summary.resource_changes == {"create": 1}
    assert "hunter2" not in result.stdout + files.state_file.read_text()
    assert stack.destroy().summary.kind == "destroy"
    assert "`pulumi stack rm s`" in stack.destroy().stdout


def test_backups_can_be_turned_off(files: Files) -> None:
    files.stack(env={"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true"}).up()
    assert not (files.state / "backups").exists()


def test_many_stacks_at_once_in_one_process(files: Files) -> None:
    names = [f"s{number}" for number in range(8)]
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            stack = files.stack(name)
            stack.set_config("who", auto.ConfigValue(name, secret=True))
            stack.up()
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(request.config["probe-test:who"] for request in files.recorder.requests) == names


_PROGRAM = """
import sys, time
from pathlib import Path
from engine.files_workspace import Files, Recorder, thing
from alien_iac.engine.command import EmbeddedPulumi
from alien_iac.engine.command import EmbeddedPulumi
from alien_iac.engine.model import Operation, Result, Snapshot

def update(request, out, cancelled):
    request.journal.save(Snapshot((), (Operation(thing("s", "a", custom=True), "creating"),)))
    print("begun", flush=True)
    cancelled.wait(20)
    print("asked to end", flush=True)
    if sys.argv[2] == "stubborn":
        time.sleep(20)
    request.journal.save(Snapshot())
    return Result(snapshot=Snapshot(), changes={}, succeeded=False, error="update cancelled", cancelled=True)

files = Files.below(Path(sys.argv[1]))
files.command = EmbeddedPulumi(update)
try:
    files.stack().up()
except KeyboardInterrupt:
    print("ended at once", flush=True)
except Exception as error:
    print(type(error).__name__, str(error).splitlines()[1], flush=True)
"""


class Updating:
    """A process in the middle of an update, and gone when its block ends."""

    def __init__(self, root: Path, manner: str) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(root), manner],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.communicate()

    def expect(self, line: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == line

    def ended(self) -> str:
        out, _ = self.process.communicate(timeout=15)
        return out.strip()


def test_an_interrupt_asks_the_update_to_end(tmp_path: Path) -> None:
    with Updating(tmp_path, "obedient") as updating:
        updating.expect("begun")
        updating.process.send_signal(signal.SIGINT)
        updating.expect("asked to end")
        assert updating.ended() == "CommandError  code: 8"
    state = (tmp_path / "backend/.pulumi/stacks" / PROJECT / "s.json").read_text()
    assert "pending_operations" not in state
    assert not list(tmp_path.glob("backend/.pulumi/locks/**/*.json"))


def test_a_second_interrupt_ends_at_once_and_leaves_what_was_begun(tmp_path: Path) -> None:
    with Updating(tmp_path, "stubborn") as updating:
        updating.expect("begun")
        updating.process.send_signal(signal.SIGINT)
        updating.expect("asked to end")
        time.sleep(0.5)  # a person does not press twice within the handling of the first
        updating.process.send_signal(signal.SIGINT)
        assert updating.ended() == "ended at once"
    state = (tmp_path / "backend/.pulumi/stacks" / PROJECT / "s.json").read_text()
    assert '"type":"creating"' in state
    assert not list(tmp_path.glob("backend/.pulumi/locks/**/*.json"))


def test_a_kill_leaves_a_readable_state_and_a_lock_that_names_the_dead(tmp_path: Path, files: Files) -> None:
    (tmp_path / "killed").mkdir()
    with Updating(tmp_path / "killed", "obedient") as updating:
        updating.expect("begun")
        updating.process.kill()
    left = files.options({"PULUMI_BACKEND_URL": f"file://{tmp_path}/killed/backend"})
    stack = auto.select_stack("s", work_dir=str(tmp_path / "killed/work"), opts=left)
    with pytest.raises(auto.errors.ConcurrentUpdateError, match="that process has ended"):
        stack.up()
    stack.cancel()
    stack.up()
    assert [pending.type for pending in files.recorder.requests[-1].snapshot.pending_operations] == ["creating"]
