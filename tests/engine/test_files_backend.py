"""The state folder: what lies where, readable by the CLI, whole after a crash."""

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from engine.files_workspace import PROJECT, RECORDED, Files, recorded, thing

from alien_iac.engine.backend import Backend, StackName, open_backend
from alien_iac.engine.bucket import Bucket
from alien_iac.errors import AlienError, InvalidInput, NotFound, Unsupported


def nameless(listing: list[str]) -> list[str]:
    return sorted({re.sub(r"\d{16,}", "NS", name) for name in listing})


def test_a_stack_leaves_the_files_that_the_cli_leaves(files: Files) -> None:
    stack = files.stack()
    files.recorder.resources = (thing("s", "a", custom=True),)
    stack.set_tag("team", "x")
    stack.up()
    stack.destroy()
    assert nameless(files.listing()) == nameless(
        [
            f"{name}{end}"
            for end in ("", ".attrs")
            for name in (
                f"backups/{PROJECT}/s/s.1795400808415561391.json",
                f"history/{PROJECT}/s/s-1795400808415561391.checkpoint.json",
                f"history/{PROJECT}/s/s-1795400808415561391.history.json",
                "meta.yaml",
                f"stacks/{PROJECT}/s.json",
                f"stacks/{PROJECT}/s.json.bak",
                f"stacks/{PROJECT}/s.pulumi-tags",
            )
        ]
    )
    assert (files.state / "meta.yaml").read_text() == (RECORDED / "meta.yaml").read_text()


def test_removal_leaves_what_the_cli_leaves(files: Files) -> None:
    stack = files.stack()
    stack.up()
    stack.workspace.remove_stack("s")
    left = [name for name in files.listing() if not name.startswith("backups/")]
    assert left == [
        "meta.yaml",
        "meta.yaml.attrs",
        f"stacks/{PROJECT}/s.json.bak",
        f"stacks/{PROJECT}/s.json.bak.attrs",
    ]
    assert not files.config_file.exists()


def test_attributes_carry_the_checksum(files: Files) -> None:
    files.stack()
    attributes = json.loads(files.state_file.with_name("s.json.attrs").read_text())
    sum_ = base64.b64encode(hashlib.md5(files.state_file.read_bytes(), usedforsecurity=False).digest()).decode()
    assert attributes == {**recorded("attrs.json"), "md5": sum_}
    assert list(attributes) == list(recorded("attrs.json"))
    meta = json.loads((files.state / "meta.yaml.attrs").read_text())
    assert meta["md5"] == recorded("attrs.json")["md5"]


def test_state_is_for_its_owner_only(files: Files) -> None:
    files.stack()
    assert files.state_file.stat().st_mode & 0o777 == 0o600


def test_the_state_before_is_kept_beside(files: Files) -> None:
    stack = files.stack()
    before = files.state_file.read_bytes()
    stack.import_stack(stack.export_stack())
    assert files.state_file.with_name("s.json.bak").read_bytes() == before


def test_an_edit_by_hand_leaves_the_copies_alone(files: Files) -> None:
    files.stack().up()
    before = files.state_file.read_bytes()
    with files.state_file.open("r+b") as file:
        file.truncate(0)
    copies = [path for folder in ("backups", "history") for path in (files.state / folder).rglob("*.json")]
    assert [path.read_bytes() for path in copies if "history.json" not in path.name] == [before, before]


def test_a_recorded_stack_is_opened(files: Files) -> None:
    files.adopt_recorded_stack()
    stack = files.stack()
    assert {key: (output.value, output.secret) for key, output in stack.outputs().items()} == {
        "config": ("swordfish", True),
        "open": ("plain", False),
        "token": ("hunter2", True),
    }
    assert stack.get_all_config()["probe-test:b"].value == "x y"
    assert json.loads(files.run("stack", "history", "--json", "--show-secrets")) == recorded("history-shown.json")
    assert stack.workspace.list_stacks()[0].resource_count == 3


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("file://./deep/er", "work/deep/er"),
        ("file://~/mine", "home/mine"),
        ("file://{root}/a%20b?no_tmp_dir=1", "a b"),
    ],
)
def test_addresses_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, place: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / "work").mkdir(exist_ok=True)
    backend = open_backend(url.format(root=tmp_path), tmp_path / "work", {})
    assert backend.bucket.root == tmp_path / place
    assert (tmp_path / place / ".pulumi" / "meta.yaml").read_text() == "version: 1\n"


@pytest.mark.parametrize("url", ["s3://bucket", "https://api.pulumi.com", "postgres://me:hunter2@host/db", "gs://b"])
def test_other_backends_are_refused_by_name(tmp_path: Path, url: str) -> None:
    with pytest.raises(Unsupported, match="file://") as refusal:
        open_backend(url, tmp_path, {})
    assert "Pulumi CLI" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no folder"):
        open_backend(f"file://{tmp_path}/absent", tmp_path, {})


def test_options_of_an_address(tmp_path: Path) -> None:
    backend = open_backend(f"file://{tmp_path}/new?create_dir=1&metadata=skip&no_tmp_dir=false", tmp_path, {})
    assert [path.name for path in (tmp_path / "new" / ".pulumi").iterdir()] == ["meta.yaml"]
    assert backend.address("k") == f"file://{tmp_path}/new/k?create_dir=1&metadata=skip"
    with pytest.raises(Unsupported, match="dir_file_mode"):
        open_backend(f"file://{tmp_path}?dir_file_mode=0", tmp_path, {})


def test_compression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="PULUMI_DIY_BACKEND_GZIP"):
        open_backend(f"file://{tmp_path}", tmp_path, {"PULUMI_DIY_BACKEND_GZIP": "true"})


def test_the_legacy_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".pulumi" / "stacks").mkdir(parents=True)
    (tmp_path / ".pulumi" / "stacks" / "old.json").write_text("{}")
    with pytest.raises(Unsupported, match="legacy"):
        open_backend(f"file://{tmp_path}", tmp_path, {})


def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".pulumi").mkdir()
    (tmp_path / ".pulumi" / "meta.yaml").write_text("version: 2\n")
    with pytest.raises(Unsupported, match=r"version \(2\)"):
        open_backend(f"file://{tmp_path}", tmp_path, {})


@pytest.mark.parametrize(
    ("text", "name"),
    [("s", "organization/p/s"), ("organization/s", "organization/p/s"), ("organization/q/s", "organization/q/s")],
)
def test_stack_names(tmp_path: Path, text: str, name: str) -> None:
    assert str(Backend("", Bucket(tmp_path)).parse(text, "p")) == name


@pytest.mark.parametrize("text", ["", "a b", "acme/p/s", "a/b/c/d", "../x", "organization/p/q/s", "x" * 101])
def test_names_that_are_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput):
        Backend("", Bucket(tmp_path)).parse(text, "p")


def test_an_unreadable_state_is_named(files: Files) -> None:
    files.stack()
    files.state_file.write_text("{")
    backend = open_backend(files.env["PULUMI_BACKEND_URL"], files.work, {})
    with pytest.raises(AlienError, match=r"stacks/probe-test/s\.json is not JSON"):
        backend.checkpoint(StackName(PROJECT, "s"))


_WRITER = """
import sys, itertools
from pathlib import Path
from alien_iac.engine.backend import Backend, StackName
from alien_iac.engine.bucket import Bucket
backend, name = Backend("", Bucket(Path(sys.argv[1]))), StackName("p", "s")
for number in itertools.count():
    backend.save(name, '{"number": %d, "filler": "%s"}' % (number, "x" * 200_000))
    if not number:
        print("begun", flush=True)
"""


@pytest.mark.parametrize("attempt", range(4))
def test_a_kill_between_writes_leaves_a_whole_state(tmp_path: Path, attempt: int) -> None:
    (tmp_path / ".pulumi").mkdir()
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        writer.wait(0.02 + attempt * 0.013)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    backend, name = Backend("", Bucket(tmp_path)), StackName("p", "s")
    assert len(backend.checkpoint(name)["filler"]) == 200_000
    assert backend.stacks() == [name]
    attributes = json.loads((tmp_path / ".pulumi/stacks/p/s.json.attrs").read_text())
    assert attributes["user.content_type"] == "text/plain; charset=utf-8"
