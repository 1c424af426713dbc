"""Config files: what the CLI reads and writes, kept as its author wrote it."""

import re
from pathlib import Path

import pulumi.automation as auto
import pytest
from engine.files_workspace import RECORDED, Files
from hypothesis import given, settings
from hypothesis import strategies as st

from alien_iac.engine import config, document, property_path
from alien_iac.engine.config import StackConfig
from alien_iac.engine.dialect import Json
from alien_iac.errors import InvalidInput

names = st.text(st.sampled_from("abz_-19"), min_size=1, max_size=4)
odd_names = st.text(st.sampled_from('a."[] :'), min_size=1, max_size=4).filter(lambda t: not t.endswith("\\"))
leaves = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)


def written(path: property_path.Path) -> str:
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[\w-]+", step):
            text += f".{step}" if text else step
        else:
            quoted = step.replace('"', '\\"')
            text += f'["{quoted}"]'
    return text


def shown(stack: auto.Stack) -> dict[str, tuple[str, bool]]:
    return {key: (value.value, value.secret) for key, value in stack.get_all_config().items()}


@given(st.tuples(names | odd_names, st.lists(names | odd_names | st.integers(0, 99), max_size=3)))
def test_a_path_is_read_as_it_is_written(steps: tuple[str, list[str | int]]) -> None:
    path = (steps[0], *steps[1])
    assert property_path.parse(written(path)) == path


@given(root=st.dictionaries(names, values, max_size=3), path=st.lists(names, min_size=1, max_size=3), new=leaves)
def test_what_is_put_is_got_and_removed(root: dict[str, Json], path: list[str], new: Json) -> None:
    try:
        after = property_path.put(root, tuple(path), new, place="top.key")
    except InvalidInput:
        return  # the path runs through a scalar or a list
    assert property_path.get(after, tuple(path)) == (new, True)
    others = {key: value for key, value in root.items() if key != path[0]}
    assert {key: value for key, value in after.items() if key != path[0]} == others
    assert property_path.get(property_path.remove(after, tuple(path)), tuple(path)) == (None, False)


@pytest.mark.parametrize("text", ["", ".a", "a.", "a[", 'a["b', "a[x]", "[0]", "a..b", "a[*]"])
def test_paths_that_are_none(text: str) -> None:
    with pytest.raises(InvalidInput):
        property_path.parse(text)


@pytest.mark.parametrize(
    ("before", "path", "new", "after"),
    [
        (None, "names[0]", "a", ["a"]),
        (["a"], "names[1]", "b", ["a", "b"]),
        (None, "names[0].inner", "1", [{"inner": 1}]),
        ("text", "names.inner", "true", {"inner": True}),
        (None, "names.zeros", "007", {"zeros": "007"}),
        (None, "names.big", str(2**64 - 1), {"big": 2**64 - 1}),
    ],
)
def test_setting_below_the_top(before: Json, path: str, new: str, after: Json) -> None:
    values = {"p:names": before} if before is not None else {}
    changed = StackConfig(Path("x.yaml"), "p", values).set(f"p:{path}", new, path=True)
    assert changed.values["p:names"] == after


@pytest.mark.parametrize(
    ("before", "path", "text"),
    [
        (["a"], "n[2]", "out of range"),
        (["a"], "n.x", "must be an int"),
        ({"a": 1}, "n[0]", "must be a string"),
        ({"a": 1}, "n.a.b", "expected a map"),
        (None, "n.secure", "reserved"),
    ],
)
def test_paths_that_do_not_fit(before: Json, path: str, text: str) -> None:
    values = {"p:n": before} if before is not None else {}
    with pytest.raises(InvalidInput, match=text):
        StackConfig(Path("x.yaml"), "p", values).set(f"p:{path}", "x", path=True)


def test_removal_never_makes_a_secret() -> None:
    with pytest.raises(InvalidInput, match="reserved"):
        StackConfig(Path("x.yaml"), "p", {"p:n": {"secure": "a", "b": 1}}).remove("p:n.b", path=True)


@pytest.mark.parametrize(
    ("text", "path", "key"),
    [
        ("a", False, "p:a"),
        ("aws:region", False, "aws:region"),
        ("aws:config:region", False, "aws:region"),
        ("a.b:c", False, "a.b:c"),
        ("a.b:c", True, "p:a.b:c"),
        ("aws:list[0].x", True, "aws:list[0].x"),
    ],
)
def test_keys(text: str, path: bool, key: str) -> None:  # noqa: FBT001 - a column of the table
    assert StackConfig(Path("x.yaml"), "p").key(text, path=path) == key


def test_comments_order_and_quotes_stay(files: Files) -> None:
    stack = files.stack()
    salt = files.config_file.read_text()
    body = (
        "# of the team\nconfig:\n  probe-test:z: 'one' # why\n"
        "  # the list\n  probe-test:list:\n    - a # first\n    - b\n"
    )
    files.config_file.write_text(salt + body)
    stack.set_config("a", auto.ConfigValue("new"))
    stack.set_config("list[1]", auto.ConfigValue("c"), path=True)
    stack.remove_config("absent")
    assert files.config_file.read_text() == salt + body.replace("- b", "- c") + "  probe-test:a: new\n"


def test_the_quotes_of_the_author_stay(files: Files) -> None:
    stack = files.stack()
    salt = files.config_file.read_text()
    files.config_file.write_text(salt + "config:\n  probe-test:a: 'one'\n  probe-test:b: \"two\"\n")
    stack.set_config("a", auto.ConfigValue("three"))
    stack.set_config("b", auto.ConfigValue("four\x85"))
    assert files.config_file.read_text() == salt + "config:\n  probe-test:a: 'three'\n  probe-test:b: \"four\\N\"\n"


def test_new_keys_of_one_command_are_sorted(files: Files) -> None:
    stack = files.stack()
    stack.set_all_config({"b": auto.ConfigValue("2"), "c": auto.ConfigValue("yes"), "a": auto.ConfigValue("x: y")})
    keys = [line.strip() for line in files.config_file.read_text().splitlines() if "probe-test" in line]
    assert keys == ["probe-test:a: 'x: y'", 'probe-test:b: "2"', 'probe-test:c: "yes"']


@settings(deadline=None)  # files and keys take what they take
@given(value=values)
def test_any_value_survives_the_file(tmp_path_factory: pytest.TempPathFactory, value: Json) -> None:
    path = tmp_path_factory.mktemp("config") / "Pulumi.s.yaml"
    StackConfig(path, "p", {"p:v": value}).save()
    again = config.load(path, "p")
    assert again.values == {"p:v": value}
    again.set("p:w", "1").save()
    assert config.load(path, "p").values == {"p:v": value, "p:w": "1"}


def test_a_recorded_file_is_read_and_left_alone(files: Files) -> None:
    files.adopt_recorded_stack()
    stack = files.stack()
    stack.get_all_config()
    assert files.config_file.read_text() == (RECORDED / "Pulumi.s.yaml").read_text()
    stack.set_config("plain", auto.ConfigValue("shut"))
    assert files.config_file.read_text() == (RECORDED / "Pulumi.s.yaml").read_text().replace("open", "shut")


def test_values_as_the_api_gives_them(files: Files) -> None:
    files.adopt_recorded_stack()
    stack = files.stack()
    assert shown(stack) == {
        "probe-test:b": ("x y", True),
        "probe-test:nested": ('{"key":1}', False),
        "probe-test:password": ("swordfish", True),
        "probe-test:plain": ("open", False),
    }
    assert stack.get_config("nested.key", path=True).value == "1"
    assert '"value"' not in files.run("config", "--json").split("password")[1].split("}")[0]
    with pytest.raises(auto.errors.CommandError, match="configuration key 'absent' not found for stack 's'"):
        stack.get_config("absent")


def test_secrets_below_the_top(files: Files) -> None:
    stack = files.stack()
    stack.set_config("db.users[0].password", auto.ConfigValue("hunter2", secret=True), path=True)
    stack.set_config("db.port", auto.ConfigValue("5432"), path=True)
    assert "hunter2" not in files.config_file.read_text()
    got = stack.get_all_config()["probe-test:db"]
    assert (got.value, got.secret) == ('{"port":5432,"users":[{"password":"hunter2"}]}', True)
    stack.up()
    request = files.recorder.requests[0]
    assert request.config == {"probe-test:db": got.value}
    assert request.secret_keys == {"probe-test:db"}


def test_the_json_of_one_stack_sets_another(files: Files) -> None:
    source = files.stack("a")
    source.set_config("open", auto.ConfigValue("1"))
    source.set_config("map.k", auto.ConfigValue("true"), path=True)
    source.set_config("word", auto.ConfigValue("hunter2", secret=True))
    target = files.stack("b")
    target.set_all_config_json(files.run("config", "--json", "--show-secrets", "--stack", "a"))
    assert shown(target) == shown(source)
    assert "hunter2" not in (files.work / "Pulumi.b.yaml").read_text()


@pytest.mark.parametrize(
    ("kind", "text", "line"), [("int", "1", "1"), ("bool", "true", "true"), ("string", "1", '"1"')]
)
def test_typed_values(files: Files, kind: str, text: str, line: str) -> None:
    files.stack()
    files.run("config", "set", "k", "--type", kind, "--", text)
    assert f"probe-test:k: {line}\n" in files.config_file.read_text()
    with pytest.raises(auto.errors.CommandError, match="not of type int"):
        files.run("config", "set", "k", "--type", "int", "--", "x")


def test_project_declarations(files: Files) -> None:
    (files.work / "Pulumi.yaml").write_text(
        "name: probe-test\nruntime: python\nstackConfigDir: config\nconfig:\n"
        "  size: {type: integer, default: 3}\n  zones: {type: array, items: {type: string}, default: [a, b]}\n"
        "  aws:region: us-east-1\n  token: {type: string, secret: true}\n"
    )
    stack = files.stack()
    with pytest.raises(auto.errors.CommandError, match="Stack 's' is missing configuration value 'token'"):
        stack.up()
    stack.refresh()
    files.run("up", "--skip-config-validation")
    stack.set_config("token", auto.ConfigValue("x"))
    with pytest.raises(auto.errors.CommandError, match="must be encrypted"):
        stack.up()
    stack.set_config("token", auto.ConfigValue("x", secret=True))
    stack.set_config("size", auto.ConfigValue("many"))
    with pytest.raises(auto.errors.CommandError, match="'size' must be of type 'integer'"):
        stack.up()
    stack.remove_config("size")
    stack.up()
    assert files.recorder.requests[-1].config == {
        "aws:region": "us-east-1",
        "probe-test:size": "3",
        "probe-test:token": "x",
        "probe-test:zones": '["a","b"]',
    }
    assert (files.work / "config" / "Pulumi.s.yaml").exists()


def test_bare_keys_of_a_file_are_the_projects(files: Files) -> None:
    stack = files.stack()
    files.config_file.write_text(files.config_file.read_text() + "config:\n  size: 3\n  on: yes\n")
    assert {key: value.value for key, value in stack.get_all_config().items()} == {
        "probe-test:on": "yes",
        "probe-test:size": "3",
    }


def test_refresh_restores_what_the_last_update_used(files: Files) -> None:
    stack = files.stack()
    stack.set_config("k", auto.ConfigValue("1"))
    stack.set_config("word", auto.ConfigValue("hunter2", secret=True))
    with pytest.raises(auto.errors.CommandError, match="no previous deployment"):
        stack.refresh_config()
    stack.up()
    before = shown(stack)
    files.config_file.unlink()
    stack.refresh_config()
    assert shown(stack) == before


def test_several_keys_are_removed_in_one_write(files: Files) -> None:
    stack = files.stack()
    stack.set_all_config({f"{name}.k": auto.ConfigValue("1") for name in "abc"}, path=True)
    stack.remove_all_config(["a.k", "b", "absent"], path=True)
    assert shown(stack) == {"probe-test:a": ("{}", False), "probe-test:c": ('{"k":1}', False)}


def test_environments_are_refused(files: Files) -> None:
    files.config_file.write_text("environment:\n  - prod\n")
    with pytest.raises(auto.errors.CommandError, match="Pulumi Cloud"):
        files.stack()


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.s.yaml"
    path.write_text("config: [\n")
    with pytest.raises(InvalidInput, match=str(path)):
        document.read(path)
