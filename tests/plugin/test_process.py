"""Processes in their ordinary life: started, told their surroundings, changed, imported, removed without a trace."""

import json
import os
import socket
import stat
import threading
import time
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest
from plugin.plugin_engine import Engine, half_made, plain, secret
from plugin.plugin_world import PROCESS, SERVER, eventually, get, named, processes, program, server

from alien_iac.plugin import logs
from alien_iac.plugin.ports import RANGE


def archive(path: Path, files: Mapping[str, str], *, modes: Mapping[str, int] | None = None) -> dict[str, str]:
    """An artifact, as the inputs that name it."""
    with zipfile.ZipFile(path, "w") as opened:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFREG | (modes or {}).get(name, 0o644)) << 16
            opened.writestr(entry, text)
    return {"code": str(path), "codeHash": sha256(path.read_bytes()).hexdigest()}


def failed(engine: Engine, inputs: dict[str, Any], old: dict[str, Any] | None = None) -> str:
    """The reason why the process did not get ready; it is there nevertheless."""
    with pytest.raises(grpc.RpcError) as caught:
        engine.update(PROCESS, old, inputs) if old else engine.create(PROCESS, inputs)
    half = half_made(caught.value)
    assert half.id == inputs["name"]
    assert "Traceback" not in caught.value.details()
    return str(half.reasons[0])


def test_runs_and_goes_without_a_trace(engine: Engine, root: Path, tmp_path: Path) -> None:
    inputs = server(program(tmp_path / "code"))
    identity, outputs = engine.create(PROCESS, inputs)
    assert identity == "api"
    assert outputs["status"] == "running"
    assert int(outputs["port"]) in RANGE
    assert get(outputs["url"])["pid"] == outputs["pid"]
    assert len(named(root, "supervisord")) == len(named(root, "keeper")) == len(named(root, "main.py")) == 1
    engine.delete(PROCESS, inputs)
    assert not processes(root)
    assert not root.exists()
    engine.delete(PROCESS, inputs)


def test_what_an_earlier_version_wrote_runs_on_and_its_programs_are_understood(engine: Engine, tmp_path: Path) -> None:
    inputs = server(program(tmp_path / "code"))
    earlier = {("port" if key == "needsPort" else key): value for key, value in inputs.items()}
    assert not engine.failures(PROCESS, earlier)
    _, before = engine.create(PROCESS, earlier)
    assert not engine.diff(PROCESS, earlier, inputs).diffs
    assert not engine.diff(PROCESS, inputs, earlier).diffs
    found = engine.read(PROCESS, "api", earlier)
    assert plain(found.inputs) == inputs
    assert plain(engine.read(PROCESS, "api").inputs)["needsPort"]
    assert (get(before["url"])["pid"], plain(found.properties)["port"]) == (before["pid"], before["port"])
    newer = inputs | {"release": "2"}
    assert list(engine.diff(PROCESS, earlier, newer).replaces) == []
    assert engine.update(PROCESS, earlier, newer)["port"] == before["port"]


def test_environment_is_made_and_not_inherited(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    token, volume = root / "queues/jobs.token", root / "volumes/api/data"
    token.parent.mkdir()
    token.write_text("opensesame\n")
    env = {
        "BINDING": json.dumps({"url": "http://127.0.0.1:{port:index}", "token": f"{{file:{token}}}"}),
        "ODD": "%(x)s \"'$;\n#é",
    }
    inputs = server(
        program(tmp_path / "code"), env=env, volumes={"/data": str(volume)}, tokenFile=str(root / "workloads/api/token")
    )
    with Engine.started() as engine:
        _, outputs = engine.configure(root).create(PROCESS, inputs)
        found = get(outputs["url"])["env"]
        _, index = engine.create(PROCESS, server(inputs["code"], name="index"))
    assert "planted" not in json.dumps(found)
    assert not [name for name in found if name.startswith("SUPERVISOR_") or name == "ALIEN_PYTHON"]
    assert json.loads(found["BINDING"]) == {"url": index["url"], "token": "opensesame"}
    assert found["ODD"] == env["ODD"]
    assert found["PORT"] == str(int(outputs["port"]))
    assert found["ALIEN_VOLUME_DATA"] == str(volume)
    assert volume.is_dir()
    assert found["HOME"].startswith(str(root))
    assert found["PYTHONPATH"].split(os.pathsep)[:2] == [inputs["code"], f"{inputs['code']}/.python"]
    assert len((root / "workloads/api/token").read_text()) == 64


def test_our_runtime_is_importable(engine: Engine, tmp_path: Path) -> None:
    text = "import alien_iac.protocol.arc, pydantic\n" + SERVER
    assert engine.create(PROCESS, server(program(tmp_path / "code", text)))[0]


def test_no_secret_is_in_an_argument_or_a_readable_file(engine: Engine, root: Path, tmp_path: Path) -> None:
    inputs = server(program(tmp_path / "code"), env={"KEY": "hunter2"})
    _, outputs = engine.create(PROCESS, inputs | {"env": secret(inputs["env"])})
    assert outputs["env"] == secret(inputs["env"])
    password = json.loads((root / "supervisor/control.json").read_text())["password"]
    assert not [line for line in processes(root).values() if "hunter2" in line or password in line]
    for file in root.rglob("*"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0 or file.stat().st_size == 0, file


def test_the_control_channel_wants_its_password(engine: Engine, root: Path, tmp_path: Path) -> None:
    engine.create(PROCESS, server(program(tmp_path / "code")))
    port = json.loads((root / "supervisor/control.json").read_text())["port"]
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"POST /RPC2 HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
        assert b" 401 " in connection.recv(100)


def test_a_change_restarts_it_on_the_same_port(engine: Engine, root: Path, tmp_path: Path) -> None:
    old = server(program(tmp_path / "code"), env={"VERSION": "1"})
    _, before = engine.create(PROCESS, old)
    new = old | {"env": {"VERSION": "2"}, "release": "2"}
    after = engine.update(PROCESS, old, new)
    assert after["port"] == before["port"]
    assert after["pid"] != before["pid"]
    assert get(after["url"])["env"]["VERSION"] == "2"
    assert len(named(root, "main.py")) == 1


def test_a_neighbour_is_not_touched(engine: Engine, tmp_path: Path) -> None:
    code = program(tmp_path / "code")
    _, one = engine.create(PROCESS, server(code, name="one"))
    two = server(code, name="two")
    engine.create(PROCESS, two)
    engine.update(PROCESS, two, two | {"release": "2"})
    engine.delete(PROCESS, two)
    assert get(one["url"])["pid"] == one["pid"]


def test_many_at_once(engine: Engine, root: Path, tmp_path: Path) -> None:
    code = program(tmp_path / "code")
    many = [server(code, name=f"w{number}") for number in range(6)]
    threads = [threading.Thread(target=engine.create, args=(PROCESS, inputs)) for inputs in many]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ports = json.loads((root / "ports.json").read_text())
    assert len(set(ports.values())) == 6
    assert len(named(root, "main.py")) == 6
    assert len(named(root, "supervisord")) == 1
    threads = [threading.Thread(target=engine.delete, args=(PROCESS, inputs)) for inputs in many]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not processes(root)
    assert not root.exists()


def test_two_deployments_side_by_side(engine: Engine, root: Path, tmp_path: Path) -> None:
    code = program(tmp_path / "code")
    _, one = engine.create(PROCESS, server(code))
    other = root / "another"
    with Engine.started() as second:
        _, two = second.configure(other).create(PROCESS, server(code))
        assert one["port"] != two["port"]
        second.delete(PROCESS, server(code))
    assert not other.exists()
    assert get(one["url"])["pid"] == one["pid"]


def test_read_shows_what_is(engine: Engine, root: Path, tmp_path: Path) -> None:
    inputs = server(program(tmp_path / "code"))
    engine.create(PROCESS, inputs)
    found = engine.read(PROCESS, "api", inputs)
    assert plain(found.properties)["status"] == "running"
    assert plain(found.inputs) == inputs
    imported = engine.read(PROCESS, "api")
    assert plain(imported.inputs) == inputs
    (root / "supervisor/processes/api.json").unlink()
    assert engine.read(PROCESS, "api", inputs).id == ""


def test_code_comes_from_an_artifact_and_the_one_before_is_kept(engine: Engine, root: Path, tmp_path: Path) -> None:
    versions = [
        server(
            "",
            **archive(
                tmp_path / f"{n}.zip",
                {"main.py": SERVER, "version": str(n), "bin/tool": "#!/bin/sh\n"},
                modes={"bin/tool": 0o755},
            ),
        )
        for n in range(3)
    ]
    engine.create(PROCESS, versions[0])
    for old, new in pairwise(versions):
        outputs = engine.update(PROCESS, old, new)
    here = Path(get(outputs["url"])["cwd"])
    assert here == root / "workloads/api/code" / versions[2]["codeHash"]
    assert (here / "version").read_text() == "2"
    assert os.access(here / "bin/tool", os.X_OK)
    kept = {folder.name for folder in here.parent.iterdir()}
    assert kept == {versions[1]["codeHash"], versions[2]["codeHash"]}


def test_code_mark_is_the_folder_of_the_code(engine: Engine, tmp_path: Path) -> None:
    code = archive(tmp_path / "a.zip", {"deep/serve.py": SERVER})
    inputs = server("", **code) | {"command": ["python", "{code}/deep/serve.py"]}
    assert engine.create(PROCESS, inputs)[1]["status"] == "running"


@pytest.mark.parametrize(
    ("files", "inputs", "reason"),
    [
        ({"../evil": "x"}, {}, "would write outside"),
        ({"/evil": "x"}, {}, "would write outside"),
        ({"a": "x"}, {"codeHash": "0" * 64}, "and not 0000"),
        ({"a": "x"}, {"code": "/nowhere.zip"}, "no artifact '/nowhere.zip'"),
    ],
)
def test_an_artifact_that_is_not_right_is_refused(
    engine: Engine, tmp_path: Path, files: dict[str, str], inputs: dict[str, str], reason: str
) -> None:
    code = archive(tmp_path / "a.zip", files)
    with pytest.raises(grpc.RpcError, match=reason):
        engine.create(PROCESS, server("", **(code | inputs)))
    assert not [file for file in tmp_path.rglob("*") if file.name == "evil"]
    assert not processes(tmp_path)


def test_a_link_in_an_artifact_is_refused(engine: Engine, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(entry, "/etc/passwd")
    with pytest.raises(grpc.RpcError, match="symbolic link, 'link'"):
        engine.create(PROCESS, server(str(tmp_path / "a.zip")))


def test_what_is_no_archive_is_named(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("no zip")
    with pytest.raises(grpc.RpcError, match="is damaged"):
        engine.create(PROCESS, server(str(tmp_path / "a.zip")))


@pytest.mark.slow
def test_a_process_that_ends_at_once_says_why(engine: Engine, tmp_path: Path) -> None:
    text = "import sys; print('no database at all'); sys.exit(7)"
    started = time.monotonic()
    reason = failed(engine, server(program(tmp_path / "code", text), env={"KEY": "hunter2"}))
    assert "did not get ready in 4 starts" in reason
    assert "what it said is in" in reason
    assert "no database at all" not in reason
    assert "hunter2" not in reason
    assert time.monotonic() - started < 20


def test_a_process_that_does_not_answer_says_where(engine: Engine, tmp_path: Path) -> None:
    text = "import time; print('thinking', flush=True); time.sleep(600)"
    reason = failed(engine, server(program(tmp_path / "code", text), readySeconds=2))
    assert "not ready after 2 s" in reason
    assert "/ does not answer (Connection refused)" in reason
    assert "thinking" not in reason


def test_a_command_that_does_not_exist_is_named(engine: Engine) -> None:
    reason = failed(engine, {"name": "api", "command": ["no-such-program"], "readySeconds": 3})
    assert "there is no 'no-such-program'" in reason


@pytest.mark.slow
def test_a_broken_version_can_be_taken_back(engine: Engine, root: Path, tmp_path: Path) -> None:
    good = server("", **archive(tmp_path / "1.zip", {"main.py": SERVER}))
    bad = server("", **archive(tmp_path / "2.zip", {"main.py": "raise SystemExit('broken')"}), readySeconds=3)
    engine.create(PROCESS, good)
    assert "broken" in failed(engine, bad, old=good)
    assert plain(engine.read(PROCESS, "api", bad).properties)["status"] != "running"
    assert (root / "workloads/api/code" / good["codeHash"]).is_dir(), "kept for the way back"
    outputs = engine.update(PROCESS, bad, good)
    assert get(outputs["url"])["pid"] == outputs["pid"]


def test_a_cancelled_update_gives_up_at_once(root: Path, tmp_path: Path) -> None:
    inputs = server(program(tmp_path / "code", "import time; time.sleep(600)"))
    with Engine.started() as engine:
        engine.configure(root)
        timer = threading.Timer(1.5, engine.cancel)
        timer.start()
        started = time.monotonic()
        assert "cancelled" in failed(engine, inputs)
        assert time.monotonic() - started < 10
        timer.join()
    assert len(named(root, "main.py")) == 1, "what was made is on record, and runs"


def test_a_port_that_a_stranger_took_is_named(engine: Engine, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        reason = failed(engine, server(program(tmp_path / "code"), listen=port, readySeconds=3))
    assert f"port {port} of 'api' is taken by another program" in reason
    assert f"process {os.getpid()}" in reason


def test_a_port_of_a_neighbour_is_refused(engine: Engine, tmp_path: Path) -> None:
    code = program(tmp_path / "code")
    _, one = engine.create(PROCESS, server(code, name="one"))
    with pytest.raises(grpc.RpcError, match=r"another .listen."):
        engine.create(PROCESS, server(code, name="two", listen=int(one["port"])))


def test_a_process_without_a_port_and_one_with_tcp(engine: Engine, tmp_path: Path) -> None:
    quiet = {"name": "quiet", "command": ["sleep", "600"], "stopSeconds": 1}
    _, outputs = engine.create(PROCESS, quiet)
    assert "port" not in outputs
    assert outputs["pid"]
    _, outputs = engine.create(PROCESS, server(program(tmp_path / "code"), health={"kind": "tcp"}))
    assert outputs["status"] == "running"


def test_the_log_is_bounded_and_readable(engine: Engine, root: Path, tmp_path: Path) -> None:
    text = """
import sys, time
for n in range(30_000):
    print("line", n)
sys.stdout.flush()
print("err", file=sys.stderr)
time.sleep(600)
"""
    code = program(tmp_path / "code", text)
    inputs = {"name": "noisy", "command": ["python", "main.py"], "code": code, "logMaxBytes": 10_000}
    engine.create(PROCESS, inputs)
    eventually(lambda: logs.tail(root, "noisy", 1) == ["err"])
    assert logs.tail(root, "noisy", 900)[-3:] == ["line 29998", "line 29999", "err"]
    folder = logs.place(root, "noisy").parent
    assert len(list(folder.iterdir())) == 3
    assert sum(file.stat().st_size for file in folder.iterdir()) < 3 * (10_000 + 65_536)
    follow = logs.follow(root, "noisy", 2)
    assert [next(follow), next(follow)] == ["line 29999", "err"]
    engine.update(PROCESS, inputs, inputs | {"release": "2"})
    assert next(follow).startswith("line ")
