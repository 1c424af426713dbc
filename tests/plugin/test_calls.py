"""The plugin as an engine sees it: what it is, its configuration, checks, differences, previews, errors and its end."""

import json
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from plugin.plugin_engine import PLUGIN, UNKNOWN, Engine, plain, secret, struct
from plugin.plugin_world import DIRECTORY, KV, PROCESS, QUEUE, SECRET, eventually
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from alien_iac.plugin import check, table
from alien_iac.protocol.code import ARTIFACT, IMAGE


def test_says_what_it_is(engine: Engine) -> None:
    assert engine.stub.GetPluginInfo(empty_pb2.Empty()).version == version("alien-iac")
    shaken = engine.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    assert shaken.accept_secrets
    assert shaken.accept_resources
    engine.stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:1"))


def test_schema_has_every_type_and_only_known_references(engine: Engine) -> None:
    schema = json.loads(engine.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert schema["name"] == "alien"
    assert set(schema["resources"]) == {DIRECTORY, KV, QUEUE, SECRET, PROCESS, ARTIFACT, IMAGE}
    for resource in schema["resources"].values():
        assert set(resource["requiredInputs"]) <= set(resource["inputProperties"])
        assert set(resource["required"]) <= set(resource["properties"])
    references = re.findall(r'"\$ref": "#/types/([^"]+)"', json.dumps(schema))
    assert references
    assert set(references) <= set(schema["types"])


@pytest.mark.parametrize("token", sorted(table.KINDS))
def test_no_output_is_named_as_an_input(token: str) -> None:
    """An engine takes it for drift, and asks the plugin about a resource that nothing has changed."""
    kind = table.KINDS[token]
    assert not set(kind.computed) & check.names(kind.model)


def test_an_unknown_version_of_the_schema_is_refused(engine: Engine) -> None:
    with pytest.raises(grpc.RpcError, match="schema version 7"):
        engine.stub.GetSchema(provider_pb2.GetSchemaRequest(version=7))


@pytest.mark.parametrize("config", [{"localDir": ""}, {"localDir": "relative"}, {"localDir": "/"}, {"localDir": 5}])
def test_a_folder_in_the_config_is_an_absolute_one(engine: Engine, config: dict[str, object]) -> None:
    answer = engine.stub.CheckConfig(provider_pb2.CheckRequest(news=struct(config)))
    assert [one.property for one in answer.failures] == ["localDir"]
    with pytest.raises(grpc.RpcError, match="localDir"):
        engine.stub.Configure(provider_pb2.ConfigureRequest(args=struct(config)))


@pytest.mark.parametrize("config", [{}, {"localDir": "/somewhere"}, {"localDir": UNKNOWN}])
def test_config_may_be_unknown_yet_or_have_no_folder(engine: Engine, config: dict[str, object]) -> None:
    assert not engine.stub.CheckConfig(provider_pb2.CheckRequest(news=struct(config))).failures


def test_a_folder_that_moves_replaces_nothing_by_itself(engine: Engine) -> None:
    request = provider_pb2.DiffRequest(old_inputs=struct({"localDir": "/a"}), news=struct({"localDir": "/b"}))
    answer = engine.stub.DiffConfig(request)
    assert list(answer.diffs) == ["localDir"]
    assert not answer.replaces


def test_nothing_works_unconfigured(root: Path) -> None:
    with Engine.started() as engine, pytest.raises(grpc.RpcError, match="not configured"):
        engine.create(DIRECTORY, {"path": str(root / "a")})


def test_all_that_is_wrong_is_said_at_once(engine: Engine, root: Path) -> None:

    failures = engine.failures(
        QUEUE, {"file": str(root / "q"), "visibilitySeconds": 0, "maxReceives": "many", "colour": "red", "name": ""}
    )
    assert set(failures) == {"visibilitySeconds", "maxReceives", "colour", "name", "retentionSeconds", "tokenFile"}
    assert "'many'" in failures["maxReceives"]
    assert "maxReceives" in failures["colour"]
    assert failures["tokenFile"] == "is required"


def test_what_is_unknown_counts_as_right(engine: Engine) -> None:

    assert not engine.failures(DIRECTORY, {"path": UNKNOWN})
    process = {"name": "a", "command": ["x"], "env": {"A": UNKNOWN}, "listen": UNKNOWN, "code": secret(UNKNOWN)}
    assert not engine.failures(PROCESS, process)


def test_no_secret_is_quoted(engine: Engine) -> None:
    failures = engine.failures(DIRECTORY, {"path": secret([1, "hunter2"])})
    assert "hunter2" not in failures["path"]


@pytest.mark.parametrize("path", ["relative", "/", "/etc/passwd", "{root}", "{root}/../elsewhere"])
def test_a_path_outside_of_the_deployment_is_refused(engine: Engine, root: Path, path: str) -> None:

    place = path.replace("{root}", str(root))
    assert "path" in engine.failures(DIRECTORY, {"path": place})
    assert "dataDir" in engine.failures(KV, {"dataDir": place})
    assert "keyFile" in engine.failures(SECRET, {"path": str(root / "a.enc"), "keyFile": place})


@pytest.mark.parametrize(
    ("inputs", "property_"),
    [
        ({"name": "Big"}, "name"),
        ({"command": []}, "command"),
        ({"health": {"kind": "http"}}, "health"),
        ({"health": {"kind": "guess"}, "needsPort": True}, "health.kind"),
        ({"command": ["cat", "{file:/a}"]}, "command[1]"),
        ({"command": ["python", "{code}/x.py"]}, "command[1]"),
        ({"code": "relative"}, "code"),
        ({"volumes": {"/data": "/etc"}}, "volumes./data"),
        ({"tokenFile": "/etc/token"}, "tokenFile"),
        ({"listen": 70_000}, "listen"),
    ],
)
def test_a_process_that_cannot_work_is_refused(engine: Engine, inputs: dict[str, object], property_: str) -> None:
    assert set(engine.failures(PROCESS, {"name": "a", "command": ["true"]} | inputs)) == {property_}


def test_differences(engine: Engine) -> None:

    numbers = {"maxReceives": 5, "visibilitySeconds": 30, "retentionSeconds": 60}
    queue = {"file": "/q", "name": "q", "tokenFile": "/t", **numbers}
    assert engine.diff(QUEUE, queue, queue).changes == provider_pb2.DiffResponse.DIFF_NONE
    settings = engine.diff(QUEUE, queue, queue | {"maxReceives": 9})
    assert (list(settings.diffs), list(settings.replaces)) == (["maxReceives"], [])
    moved = engine.diff(QUEUE, queue, queue | {"file": "/other", "maxReceives": 9})
    assert (list(moved.diffs), list(moved.replaces)) == (["file", "maxReceives"], ["file"])
    assert moved.detailedDiff["file"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE
    assert not moved.deleteBeforeReplace


def test_a_secret_that_did_not_change_is_no_difference(engine: Engine) -> None:

    old, new = {"path": secret("/a")}, {"path": "/a"}
    assert engine.diff(DIRECTORY, old, new).changes == provider_pb2.DiffResponse.DIFF_NONE
    assert list(engine.diff(DIRECTORY, old, {"path": UNKNOWN}).replaces) == ["path"]


@pytest.mark.parametrize(
    ("more", "first"),
    [({}, False), ({"single": True}, True), ({"listen": 7700}, True), ({"volumes": {"/d": "/x"}}, True)],
)
def test_a_single_writer_is_deleted_before_it_is_replaced(
    engine: Engine, *, more: dict[str, object], first: bool
) -> None:
    old = {"name": "a", "command": ["true"]} | more
    assert engine.diff(PROCESS, old, old | {"name": "b"}).deleteBeforeReplace is first


def test_a_preview_touches_nothing(engine: Engine, root: Path) -> None:

    inputs = {"name": "api", "command": ["true"], "env": {"A": UNKNOWN}, "needsPort": True}
    identity, outputs = engine.create(PROCESS, inputs, preview=True)
    assert identity == ""
    assert outputs["url"] == outputs["pid"] == outputs["port"] == UNKNOWN
    assert outputs["command"] == ["true"]
    engine.create(DIRECTORY, {"path": str(root / "a")}, preview=True)
    engine.update(PROCESS, inputs, inputs | {"release": "2"}, preview=True)
    assert not list(root.iterdir())


def test_what_came_as_a_secret_goes_back_as_one(engine: Engine, root: Path) -> None:
    path = str(root / "a")
    _, outputs = engine.create(DIRECTORY, {"path": secret(path)})
    assert outputs["path"] == secret(path)
    assert plain(engine.read(DIRECTORY, path, {"path": secret(path)}).inputs)["path"] == secret(path)


def test_errors_are_told_in_words(engine: Engine, root: Path) -> None:

    with pytest.raises(grpc.RpcError, match="no resource type 'alien:local:Nothing'; it has alien:index:Artifact"):
        engine.create("alien:local:Nothing", {})
    with pytest.raises(grpc.RpcError, match="no function 'alien:local:get'"):
        engine.stub.Invoke(provider_pb2.InvokeRequest(tok="alien:local:get"))
    (root / "file").write_text("in the way")
    with pytest.raises(grpc.RpcError) as caught:
        engine.create(DIRECTORY, {"path": str(root / "file" / "below")})
    assert "Traceback" not in str(caught.value)
    assert "Not a directory" in str(caught.value.details())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_quietly_when_told(number: int) -> None:
    with Engine.started() as engine:
        engine.process.send_signal(number)
        assert engine.process.wait(5) == 0
        assert engine.process.stderr
        assert engine.process.stderr.read() == ""


def test_ends_when_its_engine_is_killed() -> None:
    starter = (
        f"import subprocess, time; print(subprocess.Popen([{str(PLUGIN)!r}, 'x']).pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.stdout.readline()
        parent.kill()
    eventually(lambda: not running(pid))


def running(pid: int) -> bool:
    """Whether a process does anything yet: one that has ended may wait for long until somebody asks for its code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_started_by_hand_it_waits_for_an_engine() -> None:
    with subprocess.Popen([str(PLUGIN)], stdout=subprocess.PIPE, text=True) as plugin:
        assert plugin.stdout
        assert int(plugin.stdout.readline())
        time.sleep(0.8)
        assert plugin.poll() is None
        plugin.send_signal(signal.SIGINT)
        assert plugin.wait(5) == 0
