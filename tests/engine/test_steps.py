"""Which steps lead from the state to the program: replacements, options, aliases, unknowns."""

from pathlib import Path

import pulumi
import pytest
from engine.probe_programs import Group, Program, Thing, empty, one, things
from engine.probed import Probed
from pulumi import Alias, ComponentResource, CustomTimeouts, Output, ResourceOptions

from alien_iac.engine.command import EmbeddedPulumi


@pytest.fixture
def probed(tmp_path: Path) -> Probed:
    return Probed(tmp_path, EmbeddedPulumi())


def dependent(slot: str, key: str) -> Program:
    """b uses a's serial as one of its inputs; c depends on b."""

    def program() -> None:
        a = Thing("a", value="1", slot=slot)
        b = Thing("b", None, **{key: a.serial.apply(str)})
        Thing("c", ResourceOptions(depends_on=[b]), value="3")

    return program


def test_what_a_replaced_resource_would_replace_is_deleted_before_it(probed: Probed) -> None:
    probed.up(dependent("x", "slot"))
    probed.forget()
    assert probed.up(dependent("y", "slot")) == {"same": 2, "replace": 2}
    assert probed.calls() == [("delete", "b"), ("delete", "a"), ("create", "a"), ("create", "b")]
    assert len(probed.world()) == 3


def test_a_dependent_that_is_only_updated_stays(probed: Probed) -> None:
    probed.up(dependent("x", "value"))
    probed.forget()
    probed.up(dependent("y", "value"))
    assert probed.calls() == [("delete", "a"), ("create", "a")]


@pytest.mark.parametrize(("first", "order"), [(True, ["delete", "create"]), (False, ["create", "delete"])])
def test_delete_before_replace_overrides_the_provider(probed: Probed, *, first: bool, order: list[str]) -> None:
    key = "kind" if first else "slot"

    def program(value: str) -> Program:
        return lambda: (Thing("a", ResourceOptions(delete_before_replace=first), **{key: value}), None)[1]

    probed.up(program("x"))
    probed.forget()
    probed.up(program("y"))
    assert [op for op, _ in probed.calls()] == order


def test_replace_on_changes_replaces(probed: Probed) -> None:
    def program(value: str) -> Program:
        return lambda: (Thing("a", ResourceOptions(replace_on_changes=["value"]), value=value), None)[1]

    probed.up(program("1"))
    assert probed.up(program("2")) == {"same": 1, "replace": 1}


def test_the_replace_flag_replaces_what_it_names(probed: Probed) -> None:
    probed.up(things(("a", {"value": "1"}), ("b", {"value": "2"})))
    urn = probed.resource("a")["urn"]
    assert probed.up(things(("a", {"value": "1"}), ("b", {"value": "2"})), replace=[urn]) == {"same": 2, "replace": 1}


def test_a_protected_resource_is_not_replaced(probed: Probed) -> None:
    def program(kind: str) -> Program:
        return lambda: (Thing("a", ResourceOptions(protect=True), kind=kind), None)[1]

    probed.up(program("x"))
    said = probed.failing("up", program("y"))
    assert 'unable to replace resource "urn:pulumi:s::probe-test::probe:index:Thing::a"' in said
    assert probed.resource("a")["inputs"] == {"kind": "x"}


def test_a_replaced_resource_that_is_retained_stays_at_the_provider(probed: Probed) -> None:
    def program(kind: str) -> Program:
        return lambda: (Thing("a", ResourceOptions(retain_on_delete=True), kind=kind), None)[1]

    probed.up(program("x"))
    probed.up(program("y"))
    assert len(probed.world()) == 2
    assert len(probed.names()) == 1


def test_what_is_deleted_with_another_is_not_deleted_itself(probed: Probed) -> None:
    def program() -> None:
        a = Thing("a", value="1")
        Thing("b", ResourceOptions(deleted_with=a), value="2")

    probed.up(program)
    probed.forget()
    probed.run("destroy", empty)
    assert probed.calls("delete") == [("delete", "a")]
    assert probed.state() == []


def test_what_is_deleted_with_a_replaced_resource_is_made_again(probed: Probed) -> None:
    def program(kind: str) -> Program:
        def run() -> None:
            a = Thing("a", kind=kind)
            Thing("b", ResourceOptions(deleted_with=a, depends_on=[a]), value="2")

        return run

    probed.up(program("x"))
    assert probed.up(program("y")) == {"same": 1, "replace": 2}


def test_additional_secret_outputs_are_secrets_in_the_state(probed: Probed) -> None:
    def program() -> None:
        thing = Thing("a", ResourceOptions(additional_secret_outputs=["serial"]), value="1")
        pulumi.export("serial", thing.serial)

    probed.up(program)
    assert probed.resource("a")["additionalSecretOutputs"] == ["serial"]
    assert "plaintext" in probed.resource("a")["outputs"]["serial"]
    assert probed.stack.outputs()["serial"].secret


def test_timeouts_are_kept(probed: Probed) -> None:
    probed.up(lambda: (Thing("a", ResourceOptions(custom_timeouts=CustomTimeouts(create="1m30s")), value="1"), None)[1])
    assert probed.resource("a")["customTimeouts"] == {"create": 90}


class Old(ComponentResource):
    def __init__(self, token: str, name: str, opts: ResourceOptions | None = None) -> None:
        super().__init__(token, name, None, opts)
        Thing(f"{name}-inside", ResourceOptions(parent=self), value="1")


@pytest.mark.parametrize(
    ("token", "name", "alias"),
    [
        ("probe:index:New", "c", Alias(type_="probe:index:Old")),
        ("probe:index:Old", "d", Alias(name="c")),
        ("probe:index:New", "d", "urn:pulumi:s::probe-test::probe:index:Old::c"),
    ],
)
def test_a_renamed_component_takes_its_children_along(
    probed: Probed, token: str, name: str, alias: Alias | str
) -> None:
    probed.up(lambda: (Old("probe:index:Old", "c"), None)[1])
    probed.forget()
    assert probed.up(lambda: (Old(token, name, ResourceOptions(aliases=[alias])), None)[1]) == {"same": 3}
    assert probed.calls() == []
    inside = probed.resource(f"{name}-inside")
    assert inside["parent"] == f"urn:pulumi:s::probe-test::{token}::{name}"
    assert inside["urn"] == f"urn:pulumi:s::probe-test::{token}$probe:index:Thing::{name}-inside"


def test_a_resource_moves_out_of_a_component(probed: Probed) -> None:
    probed.up(lambda: (Group("g", 1), None)[1])

    def program() -> None:
        group = ComponentResource("probe:index:Group", "g")
        Thing("g-0", ResourceOptions(aliases=[Alias(parent=group)]), value="0")

    probed.forget()
    assert probed.up(program) == {"same": 3}
    assert probed.calls() == []


def test_two_resources_cannot_have_been_one(probed: Probed) -> None:
    probed.up(one())

    def program() -> None:
        Thing("b", ResourceOptions(aliases=[Alias(name="a")]), value="1")
        Thing("c", ResourceOptions(aliases=[Alias(name="a")]), value="1")

    assert "Duplicate resource alias 'urn:pulumi:s::probe-test::probe:index:Thing::a'" in probed.failing("up", program)


def test_references_to_a_renamed_resource_are_renamed_in_the_state(probed: Probed) -> None:
    def program(name: str, *aliases: str) -> Program:
        def run() -> None:
            first = Thing(name, ResourceOptions(aliases=[Alias(name=a) for a in aliases]), value="1")
            Thing("z", ResourceOptions(depends_on=[first]), value="2")

        return run

    probed.up(program("a"))
    probed.up(program("b", "a"), target=["urn:pulumi:s::probe-test::probe:index:Thing::b"])
    assert probed.resource("z")["dependencies"] == ["urn:pulumi:s::probe-test::probe:index:Thing::b"]


def test_what_is_not_known_in_a_preview_goes_no_further(probed: Probed) -> None:
    reached: list[object] = []

    def program() -> None:
        a = Thing("a", value="1")
        b = Thing("b", value=Output.concat("n", a.serial.apply(str)))
        pulumi.export("value", b.value)
        a.serial.apply(reached.append)
        pulumi.export("secret", Output.secret(a.serial))

    result = probed.run("preview", program)
    assert result.change_summary == {"create": 3}
    assert reached == []
    assert "value : [unknown]" in result.stdout
    assert probed.calls() == []
    assert probed.state() == []
    probed.up(program)
    assert reached == [1]


def test_an_unchanged_update_starts_no_plugin(probed: Probed) -> None:
    probed.up(things(("a", {"value": "1"}), out="a"))
    started = (probed.folder / "world" / "plugins").read_text()
    assert probed.up(things(("a", {"value": "1"}), out="a")) == {"same": 2}
    assert (probed.folder / "world" / "plugins").read_text() == started


def test_nested_ignored_changes_are_ignored(probed: Probed) -> None:
    def program(inner: str, outer: str) -> Program:
        ignored = ResourceOptions(ignore_changes=["body.inner", "list[0]"])
        body = {"inner": inner, "outer": outer}
        return lambda: (Thing("a", ignored, body=body, list=[inner, outer]), None)[1]

    probed.up(program("1", "1"))
    assert probed.up(program("2", "1")) == {"same": 2}
    assert probed.resource("a")["inputs"] == {"body": {"inner": "1", "outer": "1"}, "list": ["1", "1"]}
    assert probed.up(program("3", "2")) == {"same": 1, "update": 1}
    assert probed.resource("a")["inputs"] == {"body": {"inner": "1", "outer": "2"}, "list": ["1", "2"]}


def test_what_the_engine_cannot_do_is_refused_and_names_the_cli(probed: Probed) -> None:
    said = probed.failing("up", lambda: (Thing("a", ResourceOptions(import_="x"), value="1"), None)[1])
    assert "does not support import" in said
    assert "alien doctor --install" in said
    transformed = ResourceOptions(transforms=[lambda args: pulumi.ResourceTransformResult(args.props, args.opts)])
    assert "does not support transforms" in probed.failing("up", lambda: (Thing("a", transformed, value="1"), None)[1])
    assert probed.names() == []
