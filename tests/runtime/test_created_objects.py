"""A Function's created-object triggers: each new object is told at least once, across restarts and kills."""

import json
from pathlib import Path

import pytest
from runtime.runtime_workload import Machine, Running, eventually

from alien_iac.protocol import environment
from alien_iac.protocol.bindings import LocalStorage
from alien_iac.runtime.stores.local_storage import LocalPlace, connect
from alien_iac.runtime.stores.objects import ObjectDoor
from alien_iac.runtime.stores.storage import SyncStorage

TRIGGER = [{"kind": "created", "resource": "files"}]

CODE = """
import pathlib, time
from alien_iac.runtime import current, on_created, storage

files = storage("files")

@on_created("files")
async def index(key: str) -> None:
    with open("told", "a") as f:
        f.write(f"{key}|{(await files.get(key)).decode()}|{current().attempt}\\n")
    if key == "bad":
        raise RuntimeError
    while pathlib.Path("hold").exists():
        import asyncio; await asyncio.sleep(0.05)
    with open("indexed", "a") as f:
        f.write(key + "\\n")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def files(folder: Path) -> SyncStorage:
    place: LocalPlace = connect({"service": "local-storage", "storagePath": str(folder)}, "files")
    return SyncStorage(ObjectDoor("files", lambda: place))


def start(machine: Machine, folder: Path) -> Running:
    binding = json.dumps(LocalStorage(storage_path=str(folder)).dump())
    running = machine.function(CODE, {environment.binding_name("files"): binding}, TRIGGER)
    assert running.url
    return running


def told(machine: Machine) -> list[str]:
    path = machine.folder / "told"
    return path.read_text().splitlines() if path.exists() else []


def test_new_and_replaced_objects(machine: Machine, folder: Path, files: SyncStorage) -> None:
    files.put("before", b"not news")
    start(machine, folder)
    files.put("a", b"1")
    eventually(lambda: "a|1|1" in told(machine))
    files.put("a", b"2")
    eventually(lambda: "a|2|1" in told(machine))
    for number in range(5):
        files.put(f"deep/ü {number}/日本.txt", b"x")
    eventually(lambda: len([line for line in told(machine) if line.startswith("deep/")]) == 5)
    # Written by somebody else than an object store.
    (folder / "plain").mkdir()
    (folder / "plain" / "file.txt").write_text("y")
    eventually(lambda: any(line.startswith("plain/file.txt|") for line in told(machine)))
    files.delete("a")
    files.put("a", b"3")
    eventually(lambda: "a|3|1" in told(machine))
    assert not any(line.startswith("before|") for line in told(machine))


def test_what_came_while_nothing_ran(machine: Machine, folder: Path, files: SyncStorage) -> None:
    files.put("first", b"1")
    assert start(machine, folder).stop() == 0
    files.put("meanwhile", b"2")
    start(machine, folder)
    eventually(lambda: told(machine) == ["meanwhile|2|1"])


def test_kill_in_the_middle(machine: Machine, folder: Path, files: SyncStorage) -> None:
    hold = machine.folder / "hold"
    hold.touch()
    running = start(machine, folder)
    for number in range(3):
        files.put(f"k{number}", b"")
    eventually(lambda: len(told(machine)) == 3)
    running.kill()
    files.put("k3", b"")
    hold.unlink()
    second = start(machine, folder)
    indexed = machine.folder / "indexed"
    eventually(lambda: indexed.exists() and sorted(indexed.read_text().split()) == ["k0", "k1", "k2", "k3"])
    assert {"k0||1", "k0||2", "k3||1"} <= set(told(machine))
    # And once they are dealt with, a further start tells nothing again.
    assert second.stop() == 0
    count = len(told(machine))
    again = start(machine, folder)
    files.put("k4", b"")
    eventually(lambda: "k4||1" in told(machine))
    assert len(told(machine)) == count + 1
    assert again.stop() == 0


def test_a_failing_handler_is_tried_again_and_holds_up_nobody(
    machine: Machine, folder: Path, files: SyncStorage
) -> None:
    start(machine, folder)
    files.put("bad", b"")
    files.put("good", b"")
    eventually(lambda: "good||1" in told(machine))
    eventually(lambda: "bad||2" in told(machine))
