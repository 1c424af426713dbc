"""The resources that hold data: made, read, changed in place, removed from inside the deployment's folder only."""

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from plugin.plugin_engine import Engine, plain
from plugin.plugin_world import DIRECTORY, KV, QUEUE, SECRET

from alien_iac.plugin.secret import set_value
from alien_iac.protocol import secretfile, stores


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def queue(root: Path, **more: object) -> dict[str, Any]:
    settings = {"visibilitySeconds": 30, "maxReceives": 5, "retentionSeconds": 3600}
    files = {"file": str(root / "queues/jobs.sqlite"), "tokenFile": str(root / "queues/jobs.token")}
    return {"name": "jobs", **settings, **files, **more}


def secret_inputs(root: Path, name: str = "crm", **more: object) -> dict[str, Any]:
    return {"path": str(root / f"secrets/{name}.enc"), "keyFile": str(root / "secrets/key"), **more}


def meta(file: str) -> dict[str, str]:
    with closing(sqlite3.connect(file)) as database:
        return dict(database.execute("SELECT key, value FROM meta"))


def value(inputs: dict[str, Any]) -> bytes:
    key = secretfile.parse_key(Path(inputs["keyFile"]).read_text())
    return secretfile.unseal(Path(inputs["path"]).read_bytes(), key)


def test_a_directory_is_private_and_goes_with_all_in_it(engine: Engine, root: Path) -> None:
    inputs = {"path": str(root / "storage/files")}
    assert engine.create(DIRECTORY, inputs)[0] == inputs["path"]
    folder = Path(inputs["path"])
    assert mode(folder) == 0o700
    (folder / "deep").mkdir()
    (folder / "deep/file").write_text("x")
    assert engine.read(DIRECTORY, inputs["path"], inputs).id == inputs["path"]
    engine.delete(DIRECTORY, inputs)
    assert not root.exists(), "no folder stays that was only there for it"
    assert engine.read(DIRECTORY, inputs["path"], inputs).id == ""
    engine.delete(DIRECTORY, inputs)


def test_data_that_was_kept_is_taken_again(engine: Engine, root: Path) -> None:
    inputs = {"path": str(root / "storage/files")}
    engine.create(DIRECTORY, inputs)
    Path(inputs["path"], "kept").write_text("x")
    engine.create(DIRECTORY, inputs)
    assert Path(inputs["path"], "kept").read_text() == "x"


def test_a_symbolic_link_is_not_followed_into_removal(engine: Engine, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.mkdir()
    (outside / "data").write_text("x")
    (root / "link").symlink_to(outside)
    for path in (root / "link", root / "link/data"):
        with pytest.raises(grpc.RpcError, match="symbolic link"):
            engine.delete(DIRECTORY, {"path": str(path)})
    for path in (outside, root, Path("/"), root / "a/../../precious"):
        with pytest.raises(grpc.RpcError, match="nothing was removed"):
            engine.delete(DIRECTORY, {"path": str(path)})
    assert (outside / "data").read_text() == "x"


def test_a_link_inside_a_removed_folder_keeps_its_target(engine: Engine, root: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    engine.create(DIRECTORY, {"path": str(root / "a")})
    (root / "a/link").symlink_to(tmp_path / "precious")
    engine.delete(DIRECTORY, {"path": str(root / "a")})
    assert (tmp_path / "precious").exists()


def test_kv_has_the_layout_that_workloads_read(engine: Engine, root: Path) -> None:
    inputs = {"dataDir": str(root / "kv/sessions")}
    engine.create(KV, inputs)
    file = Path(inputs["dataDir"], stores.KV_FILE)
    assert meta(str(file))["format"] == stores.KV_FORMAT
    assert mode(file) == 0o600
    engine.create(KV, inputs)
    assert engine.read(KV, inputs["dataDir"], inputs).id
    engine.delete(KV, inputs)
    assert engine.read(KV, inputs["dataDir"], inputs).id == ""
    assert not root.exists()


def test_a_queue_knows_its_settings_and_the_hash_of_its_token(engine: Engine, root: Path) -> None:
    inputs = queue(root)
    engine.create(QUEUE, inputs)
    token = Path(inputs["tokenFile"])
    assert mode(token) == mode(Path(inputs["file"])) == 0o600
    assert len(token.read_text()) == 64
    settings = meta(inputs["file"])
    assert settings["token_sha256"] == stores.token_hash(token.read_text())
    assert (settings["name"], settings["max_receives"]) == ("jobs", "5")


def test_a_queue_is_changed_in_place(engine: Engine, root: Path) -> None:
    old, new = queue(root), queue(root, maxReceives=9, tokenFile=str(root / "tokens/jobs"))
    engine.create(QUEUE, old)
    token = Path(old["tokenFile"]).read_text()
    with closing(sqlite3.connect(old["file"])) as database, database:
        database.execute("INSERT INTO messages (payload_type, payload, sent_at, visible_at) VALUES ('text', 'x', 1, 1)")
    engine.update(QUEUE, old, new)
    assert meta(new["file"])["max_receives"] == "9"
    assert Path(new["tokenFile"]).read_text() == token
    with closing(sqlite3.connect(old["file"])) as database:
        assert database.execute("SELECT payload FROM messages").fetchall() == [("x",)]
    engine.delete(QUEUE, new)
    assert not root.exists()


def test_a_setting_changed_by_hand_shows_as_drift(engine: Engine, root: Path) -> None:
    inputs = queue(root)
    engine.create(QUEUE, inputs)
    with closing(sqlite3.connect(inputs["file"])) as database, database:
        database.execute(stores.SET_META, ("max_receives", "50"))
    assert plain(engine.read(QUEUE, inputs["file"], inputs).inputs)["maxReceives"] == 50


def test_resources_are_imported_by_id(engine: Engine, root: Path) -> None:
    for token, inputs, identity in (
        (DIRECTORY, {"path": str(root / "d")}, str(root / "d")),
        (KV, {"dataDir": str(root / "k")}, str(root / "k")),
        (QUEUE, queue(root), queue(root)["file"]),
        (SECRET, secret_inputs(root, generate=False), secret_inputs(root)["path"]),
    ):
        engine.create(token, inputs)
        if token == SECRET:
            set_value(Path(inputs["path"]), Path(inputs["keyFile"]), b"x")
        found = engine.read(token, identity)
        assert found.id == identity
        assert plain(found.inputs) == inputs


def test_a_file_that_is_no_database_is_named(engine: Engine, root: Path) -> None:
    inputs = queue(root)
    Path(inputs["file"]).parent.mkdir()
    Path(inputs["file"]).write_text("this is no database, and long enough to be seen as none " * 20)
    with pytest.raises(grpc.RpcError, match="does not open as a SQLite file"):
        engine.create(QUEUE, inputs)


def test_a_generated_value_is_made_once(engine: Engine, root: Path) -> None:
    inputs = secret_inputs(root, generate=True)
    engine.create(SECRET, inputs)
    first = value(inputs)
    assert len(first) >= 32
    assert mode(Path(inputs["path"])) == mode(Path(inputs["keyFile"])) == 0o600
    engine.update(SECRET, inputs, inputs)
    engine.create(SECRET, inputs)
    assert value(inputs) == first


def test_a_value_may_come_later_and_its_key_goes_last(engine: Engine, root: Path) -> None:
    one, two = secret_inputs(root, "one"), secret_inputs(root, "two")
    for inputs in (one, two):
        engine.create(SECRET, inputs)
        assert engine.read(SECRET, inputs["path"], inputs).id
        set_value(Path(inputs["path"]), Path(inputs["keyFile"]), b"hunter2")
        assert value(inputs) == b"hunter2"
    assert b"hunter2" not in Path(one["path"]).read_bytes()
    engine.delete(SECRET, one)
    assert value(two) == b"hunter2"
    engine.delete(SECRET, two)
    assert not root.exists()


def test_secrets_made_at_once_share_one_key(engine: Engine, root: Path) -> None:
    many = [secret_inputs(root, f"s{number}", generate=True) for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda inputs: engine.create(SECRET, inputs), many))
    assert len({value(inputs) for inputs in many}) == 12


def test_a_generated_secret_that_lost_its_file_is_gone(engine: Engine, root: Path) -> None:
    inputs = secret_inputs(root, generate=True)
    engine.create(SECRET, inputs)
    Path(inputs["path"]).unlink()
    assert engine.read(SECRET, inputs["path"], inputs).id == ""
