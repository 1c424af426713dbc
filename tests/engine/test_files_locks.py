"""Locks: as recorded, known to the SDK, and never broken but by `cancel`."""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pulumi.automation as auto
import pytest
from engine.files_workspace import PROJECT, Files

from alien_iac.engine import locks
from alien_iac.engine.backend import StackName, open_backend
from alien_iac.engine.model import Request
from alien_iac.errors import Conflict

ELSEWHERE = {"pid": 18148, "username": "root", "hostname": "elsewhere", "timestamp": "2026-11-23T02:26:58.115311617Z"}


def lock_folder(files: Files) -> Path:
    return files.state / "locks" / "organization" / PROJECT / "s"


def plant(files: Files, **changes: object) -> None:
    lock_folder(files).mkdir(parents=True, exist_ok=True)
    (lock_folder(files) / "5f9a451a.json").write_text(json.dumps(ELSEWHERE | changes))


def test_a_lock_lies_there_during_an_update_and_is_gone_after(files: Files) -> None:
    seen: list[dict[str, object]] = []

    def look(_request: Request, _cancelled: threading.Event) -> None:
        (path,) = [path for path in lock_folder(files).iterdir() if path.suffix == ".json"]
        seen.append(json.loads(path.read_text()))

    stack = files.stack()
    files.recorder.during = look
    stack.up()
    assert list(seen[0]) == ["pid", "username", "hostname", "timestamp"]
    assert list(lock_folder(files).iterdir()) == []


def test_a_locked_stack_is_refused_in_the_words_of_the_cli(files: Files) -> None:
    stack = files.stack()
    plant(files)
    with pytest.raises(auto.errors.ConcurrentUpdateError) as refusal:
        stack.up()
    assert str(refusal.value) == (
        "\n code: 1\n stdout: \n stderr: error: the stack is currently locked by 1 lock(s). Either wait for the other "
        "process(es) to end or delete the lock file with `pulumi cancel`.\n"
        f"  file://{files.root}/backend/.pulumi/locks/organization/{PROJECT}/s/5f9a451a.json?no_tmp_dir=true: "
        "created by root@elsewhere (pid 18148) at 2026-11-23T02:26:58Z"
    )
    assert files.recorder.requests == []


def test_a_dead_owner_on_this_host_is_named_and_still_refused(files: Files) -> None:
    stack = files.stack()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    plant(files, hostname=socket.gethostname(), pid=dead.pid)
    with pytest.raises(auto.errors.ConcurrentUpdateError, match="that process has ended"):
        stack.destroy()


def test_cancel_removes_every_lock(files: Files) -> None:
    stack = files.stack()
    plant(files)
    stack.cancel()
    stack.up()
    stack.cancel()


def test_a_preview_needs_no_lock(files: Files) -> None:
    files.stack()
    plant(files)
    files.run("preview", "--stack", "s")
    assert files.recorder.requests[0].kind == "preview"


def test_of_many_at_once_at_most_one_holds_it(files: Files) -> None:
    backend = open_backend(files.env["PULUMI_BACKEND_URL"], files.work, {})
    name = StackName(PROJECT, "s")
    inside: list[int] = []
    most: list[int] = []
    barrier = threading.Barrier(8)

    def contend() -> None:
        barrier.wait()
        for _ in range(20):
            try:
                with locks.held(backend, name):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
            except Conflict:
                continue

    threads = [threading.Thread(target=contend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) <= {1}
    assert backend.bucket.keys(f".pulumi/locks/{name}") == []
