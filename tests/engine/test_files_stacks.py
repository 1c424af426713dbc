"""Pulumi stacks as the Automation API sees them: made, listed, selected, renamed, moved, removed."""

import json
from collections.abc import Mapping
from pathlib import Path

import pulumi.automation as auto
import pytest
from engine.files_workspace import PROJECT, RECORDED, Files, recorded, thing

from alien_iac.engine.dialect import Json
from alien_iac.engine.model import SECRET, SIGNATURE, Resource

ROOT = Resource(
    urn=f"urn:pulumi:s::{PROJECT}::pulumi:pulumi:Stack::{PROJECT}-s",
    type="pulumi:pulumi:Stack",
    custom=False,
    outputs={"count": 1.0, "list": [{SIGNATURE: SECRET, "value": 2}], "word": {SIGNATURE: SECRET, "value": "hunter2"}},
)


def deployment(stack: auto.Stack) -> Mapping[str, Json]:
    return stack.export_stack().deployment or {}


def test_init_select_list(files: Files) -> None:
    with pytest.raises(auto.errors.StackNotFoundError) as refusal:
        auto.select_stack("s", work_dir=str(files.work), opts=files.options())
    assert str(refusal.value) == "\n code: 6\n stdout: \n stderr: error: no stack named 's' found"
    for name in ("s", "a"):
        files.stack(name)
    with pytest.raises(auto.errors.StackAlreadyExistsError):
        auto.create_stack("s", work_dir=str(files.work), opts=files.options())
    workspace = files.stack("s").workspace
    assert [(row.name, row.current, row.resource_count) for row in workspace.list_stacks()] == [
        ("a", False, 0),
        ("s", True, 0),
    ]
    assert workspace.who_am_i().url == files.env["PULUMI_BACKEND_URL"]


def test_the_selection_is_kept_where_the_cli_keeps_it(files: Files) -> None:
    files.stack()
    (path,) = (files.root / "home" / "workspaces").iterdir()
    assert path.name.startswith(f"{PROJECT}-")
    assert path.name.endswith("-workspace.json")
    assert json.loads(path.read_text()) == {"stacks": {files.env["PULUMI_BACKEND_URL"]: f"organization/{PROJECT}/s"}}
    files.run("stack", "rm", "--yes", "s")
    assert not path.exists()
    with pytest.raises(auto.errors.CommandError, match="no stack selected"):
        files.run("config")


def test_a_stack_of_another_project_has_its_full_name(files: Files) -> None:
    files.stack()
    (files.work / "Pulumi.yaml").write_text("name: other\nruntime: python\n")
    assert json.loads(files.run("stack", "ls", "--json")) == []
    (row,) = json.loads(files.run("stack", "ls", "--json", "--all"))
    assert row["name"] == f"organization/{PROJECT}/s"
    with pytest.raises(auto.errors.CommandError, match=r"doesn't match Pulumi\.yaml"):
        files.run("up", "--stack", row["name"])


def test_the_project_is_found_upwards(files: Files) -> None:
    files.stack()
    deep = files.work / "a" / "b"
    deep.mkdir(parents=True)
    assert "manifest" in files.command.run(["stack", "export", "--stack", "s"], str(deep), files.env).stdout
    with pytest.raises(auto.errors.CommandError, match=r"no Pulumi\.yaml project file found"):
        files.command.run(["stack", "ls", "--json"], str(files.root), files.env)


def test_the_backend_of_the_project_file(files: Files) -> None:
    (files.work / "state").mkdir()
    (files.work / "Pulumi.yaml").write_text("name: p\nruntime: python\nbackend:\n  url: file://./state\n")
    env = {**files.env, "PULUMI_BACKEND_URL": ""}
    files.command.run(["stack", "init", "s"], str(files.work), env)
    assert (files.work / "state" / ".pulumi" / "stacks" / "p" / "s.json").exists()


def test_outputs(files: Files) -> None:
    stack = files.stack()
    assert stack.outputs() == {}
    files.recorder.resources = (ROOT,)
    outputs = stack.up().outputs
    assert {key: (value.value, value.secret) for key, value in outputs.items()} == {
        "count": (1, False),
        "list": ([2], False),
        "word": ("hunter2", True),
    }
    assert (
        files.run("stack", "output", "--json")
        == '{\n  "count": 1,\n  "list": [\n    "[secret]"\n  ],\n  "word": "[secret]"\n}'
    )
    assert files.run("stack", "output", "word", "--show-secrets") == "hunter2"
    assert "hunter2" not in files.state_file.read_text()


def test_outputs_of_another_stack_are_there_for_references(files: Files) -> None:
    stack = files.stack()
    files.recorder.resources = (ROOT,)
    stack.up()
    look_up = files.recorder.requests[0].stack_outputs
    assert look_up is not None
    assert look_up(f"organization/{PROJECT}/s")["word"] == {SIGNATURE: SECRET, "value": "hunter2"}
    with pytest.raises(Exception, match="unknown stack"):
        look_up("organization/absent/s")


def test_an_export_is_imported_again(files: Files) -> None:
    files.adopt_recorded_stack()
    stack = files.stack()
    before = stack.export_stack()
    assert (before.deployment or {})["resources"][0]["outputs"]["token"]["plaintext"] == '"hunter2"'
    stack.import_stack(before)
    assert stack.export_stack().__dict__ == before.__dict__
    assert deployment(stack)["manifest"] == recorded("checkpoint.json")["checkpoint"]["latest"]["manifest"]
    assert "hunter2" not in files.state_file.read_text()


def test_secrets_in_the_clear_are_sealed_by_an_import(files: Files, tmp_path: Path) -> None:
    stack = files.stack()
    given = recorded("export.json")
    del given["deployment"]["secrets_providers"]
    (tmp_path / "state.json").write_text(json.dumps(given))
    files.run("stack", "import", "--file", str(tmp_path / "state.json"))
    assert "hunter2" not in files.state_file.read_text()
    assert stack.outputs()["token"].value == "hunter2"


def test_an_import_drops_pending_operations_and_refuses_strangers(files: Files, tmp_path: Path) -> None:
    stack = files.stack()
    given = recorded("export.json")
    given["deployment"]["pending_operations"] = [{"resource": given["deployment"]["resources"][2], "type": "creating"}]
    file = tmp_path / "state.json"
    file.write_text(json.dumps(given))
    files.run("stack", "import", "--file", str(file))
    assert "pending_operations" not in deployment(stack)
    file.write_text(json.dumps(given).replace("urn:pulumi:s::", "urn:pulumi:x::"))
    with pytest.raises(auto.errors.CommandError, match="from a different stack"):
        files.run("stack", "import", "--file", str(file))
    files.run("stack", "import", "--force", "--file", str(file))


def test_history_is_as_recorded(files: Files) -> None:
    files.adopt_recorded_stack()
    stack = files.stack()
    assert stack.history()[0].config["probe-test:password"].value == "swordfish"
    files.recorder.resources = (thing("s", "a", custom=True),)
    for _ in range(3):
        stack.up(message="again")
    assert [entry.message for entry in stack.history()] == ["again", "again", "again", ""]
    assert [entry.message for entry in stack.history(page_size=2, page=2)] == ["again", ""]
    names = sorted((files.state / "history" / PROJECT / "s").glob("*.history.json"))
    ours, cli = json.loads(names[-1].read_text()), recorded("history.json")
    assert list(ours) == list(cli)
    assert ours["config"] == cli["config"]
    assert ours["environment"]["pulumi.env.PULUMI_CONFIG_PASSPHRASE"] == "set"
    assert "probe" not in json.dumps({**ours, "config": {}})
    assert files.run("stack", "history").count("\n") == 3


def test_history_sealed_by_an_earlier_key_is_still_listed(files: Files) -> None:
    files.adopt_recorded_stack()
    files.config_file.unlink()
    stack = files.stack()
    stack.set_config("k", auto.ConfigValue("x", secret=True))
    assert stack.history()[0].config["probe-test:password"].value == "ERROR_UNABLE_TO_DECRYPT"


def test_tags(files: Files) -> None:
    stack = files.stack()
    stack.set_tag("team", "x")
    stack.set_tag("a", "b c")
    assert stack.list_tags() == {"a": "b c", "team": "x"}
    assert stack.get_tag("team") == "x"
    assert (files.state_file.with_name("s.pulumi-tags")).read_text() == '{"version":1,"tags":{"a":"b c","team":"x"}}'
    stack.remove_tag("team")
    stack.remove_tag("a")
    assert stack.list_tags() == {}
    assert not files.state_file.with_name("s.pulumi-tags").exists()
    with pytest.raises(auto.errors.CommandError, match="stack tag 'team' not found for stack 's'"):
        stack.get_tag("team")


def test_rename(files: Files) -> None:
    files.adopt_recorded_stack()
    stack = files.stack()
    stack.set_tag("team", "x")
    result = stack.rename("t")
    assert result.stdout == "Renamed s to t"
    assert stack.outputs()["token"].value == "hunter2"
    assert stack.list_tags() == {"team": "x"}
    assert [row.name for row in stack.workspace.list_stacks()] == ["t"]
    assert (files.work / "Pulumi.t.yaml").read_text() == (RECORDED / "Pulumi.s.yaml").read_text()
    assert deployment(stack)["resources"][0]["urn"].endswith(f"::{PROJECT}-t")
    files.stack("s")
    with pytest.raises(auto.errors.StackAlreadyExistsError):
        stack.rename("s")


def test_a_stack_with_resources_is_not_removed(files: Files) -> None:
    stack = files.stack()
    files.recorder.resources = (ROOT, thing("s", "a", custom=True))
    stack.up()
    with pytest.raises(auto.errors.CommandError, match="still has resources"):
        stack.workspace.remove_stack("s")
    stack.workspace.remove_stack("s", force=True, preserve_config=True)
    assert files.config_file.exists()
    assert stack.workspace.list_stacks() == []


def test_a_stack_of_which_only_the_root_is_left_is_removed(files: Files) -> None:
    stack = files.stack()
    files.recorder.resources = (ROOT,)
    stack.up()
    stack.workspace.remove_stack("s")


def test_destroy_with_remove(files: Files) -> None:
    stack = files.stack()
    files.recorder.resources = (thing("s", "a", custom=True),)
    stack.up()
    stack.destroy(remove=True)
    assert stack.workspace.list_stacks() == []
    assert not files.config_file.exists()


def test_protection_is_taken_off_in_the_state(files: Files) -> None:
    stack = files.stack()
    files.recorder.resources = tuple(thing("s", name, custom=True, protect=True) for name in "ab")
    stack.up()
    urns = [resource.urn for resource in files.recorder.resources]
    assert files.run("state", "unprotect", urns[0], "--yes") == "1 resources unprotected"
    assert [bool(r.get("protect")) for r in deployment(stack)["resources"]] == [False, True]
    assert files.run("state", "unprotect", "--all", "--yes") == "All resources unprotected"
    assert "protect" not in files.state_file.read_text()
    with pytest.raises(auto.errors.CommandError, match="No such resource"):
        files.run("state", "unprotect", "urn:pulumi:s::p::a:b:C::absent", "--yes")


def test_resources_are_forgotten_with_what_needs_them(files: Files) -> None:
    stack = files.stack()
    a = thing("s", "a", custom=True, protect=True)
    b = thing("s", "b", custom=True, dependencies=(a.urn,))
    files.recorder.resources = (a, b, thing("s", "c", custom=True, parent=b.urn))
    stack.up()
    with pytest.raises(auto.errors.CommandError, match="depend on it"):
        files.run("state", "delete", a.urn, "--yes")
    with pytest.raises(auto.errors.CommandError, match="--force"):
        files.run("state", "delete", a.urn, "--target-dependents", "--yes")
    assert files.run("state", "delete", a.urn, "--target-dependents", "--force", "--yes") == "3 resources deleted"
    assert "resources" not in deployment(stack)


def test_plugins(files: Files) -> None:
    workspace = files.stack().workspace
    assert workspace.list_plugins() == []
    (files.root / "home" / "plugins" / "resource-aws-v7.1.0").mkdir(parents=True)
    (plugin,) = workspace.list_plugins()
    assert (plugin.name, plugin.kind, plugin.version) == ("aws", "resource", "7.1.0")
    workspace.install_plugin("aws", "v7.1.0")
    with pytest.raises(auto.errors.CommandError, match="Pulumi CLI"):
        workspace.install_plugin("aws", "v8.0.0")
