"""The pure parts: values on the wire, paths, URNs, targets, the order of deletions, what a refresh leaves."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.engine import deletes, goals, refresh, urns, values, wire
from alien_iac.engine.dialect import Json
from alien_iac.engine.model import SECRET, SIGNATURE, UNKNOWN, Resource
from alien_iac.errors import InvalidInput

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(min_size=1), plain, max_size=5)


@given(objects)
def test_values_come_back_from_the_wire_as_they_went(value: dict[str, Any]) -> None:
    assert wire.properties(wire.struct(value)) == value


@given(objects)
def test_secrets_hide_and_open(value: dict[str, Any]) -> None:
    hidden = {k: values.secret(v) for k, v in value.items()}
    assert values.bare(hidden) == values.bare(value)
    assert values.secret(values.secret(value)) == values.secret(value)
    assert set(values.masked(hidden).values()) <= {"[secret]"}
    assert values.has_secret(hidden) == bool(value)


@given(objects, objects)
def test_ignoring_everything_gives_the_old_value(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert values.reset(["*"], old, new) == old
    assert values.ignoring([], old, new) == new


@pytest.mark.parametrize("mark", sorted(wire.UNKNOWNS))
def test_every_mark_of_what_is_unknown_is_one(mark: str) -> None:
    assert wire.properties(wire.struct({"a": [mark]})) == {"a": [UNKNOWN]}
    assert values.has_unknown({"a": [UNKNOWN]})


def test_output_values_become_what_providers_know() -> None:
    output = {SIGNATURE: values.OUTPUT, "value": 1, "secret": True, "dependencies": ["urn:a"]}
    unknown = {SIGNATURE: values.OUTPUT}
    assert values.downgraded([output, unknown]) == [{SIGNATURE: SECRET, "value": 1}, UNKNOWN]
    assert values.dependencies([output, unknown]) == ["urn:a"]


def test_references_become_ids_for_those_who_know_none() -> None:
    reference = {SIGNATURE: values.RESOURCE, "urn": "urn:a", "id": "i"}
    component = {SIGNATURE: values.RESOURCE, "urn": "urn:b"}
    assert values.without_references([reference, component]) == ["i", "urn:b"]


def test_outputs_named_like_secret_inputs_are_secrets() -> None:
    inputs = {"a": values.secret(1), "b": 2, "c": {"d": values.secret(3)}}
    assert values.annotate({"a": 1, "b": 2, "c": {"d": 3}}, inputs) == inputs
    assert values.sealed({"a": 1, "x": 2, "id": "i"}, inputs, ["x", "id"]) == {
        "a": values.secret(1),
        "x": values.secret(2),
        "id": "i",
    }


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("a", ["a"]),
        ("a.b[0].c", ["a", "b", 0, "c"]),
        ('a["b.c"][*].d', ["a", "b.c", "*", "d"]),
        ("*", ["*"]),
    ],
)
def test_paths(path: str, keys: list[str | int]) -> None:
    assert values.parse_path(path) == keys


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", {"a": 1, "n": {"x": 9, "y": 9}, "l": [9, 9]}),
        ("n.x", {"a": 9, "n": {"x": 1, "y": 9}, "l": [9, 9]}),
        ("n.*", {"a": 9, "n": {"x": 1}, "l": [9, 9]}),
        ("l[1]", {"a": 9, "n": {"x": 9, "y": 9}, "l": [9, 2]}),
        ("l[*]", {"a": 9, "n": {"x": 9, "y": 9}, "l": [1, 2]}),
        ("n.y", {"a": 9, "n": {"x": 9}, "l": [9, 9]}),
        ("none.at.all", {"a": 9, "n": {"x": 9, "y": 9}, "l": [9, 9]}),
    ],
)
def test_ignored_changes_go_back(path: str, expected: dict[str, Any]) -> None:
    old = {"a": 1, "n": {"x": 1}, "l": [1, 2]}
    assert values.ignoring([path], old, {"a": 9, "n": {"x": 9, "y": 9}, "l": [9, 9]}) == expected


def test_the_parts_of_a_urn() -> None:
    namer = urns.Namer("s", "p")
    root = namer.urn("", urns.ROOT, "p-s")
    parent = namer.urn(root, "a:b:C", "c")
    child = namer.urn(parent, "d:e:F", "f::g")
    assert child == "urn:pulumi:s::p::a:b:C$d:e:F::f::g"
    assert (urns.type_of(child), urns.name_of(child), urns.qualified_type(child)) == ("d:e:F", "f::g", "a:b:C$d:e:F")


@pytest.mark.parametrize(
    ("alias", "old"),
    [
        (urns.Alias(name="old"), "urn:pulumi:s::p::t:t:P$t:t:T::old"),
        (urns.Alias(type="t:t:Old"), "urn:pulumi:s::p::t:t:P$t:t:Old::n"),
        (urns.Alias(stack="x", project="y"), "urn:pulumi:x::y::t:t:P$t:t:T::n"),
        (urns.Alias(no_parent=True), "urn:pulumi:s::p::t:t:T::n"),
        (urns.Alias(parent="urn:pulumi:s::p::t:t:Q::q"), "urn:pulumi:s::p::t:t:Q$t:t:T::n"),
        (urns.Alias(urn="urn:pulumi:a::b::c:c:C::d"), "urn:pulumi:a::b::c:c:C::d"),
    ],
)
def test_aliases_name_what_was_different(alias: urns.Alias, old: str) -> None:
    parent = "urn:pulumi:s::p::t:t:P::p"
    assert urns.Namer("s", "p").aliases("urn:pulumi:s::p::t:t:P$t:t:T::n", parent, [alias], {}) == [old]


def test_children_inherit_the_alias_that_their_parent_used() -> None:
    parent, was = "urn:pulumi:s::p::t:t:P::new", "urn:pulumi:s::p::t:t:P::old"
    found = urns.Namer("s", "p").aliases("urn:pulumi:s::p::t:t:P$t:t:T::new-x", parent, [], {parent: was})
    assert found == ["urn:pulumi:s::p::t:t:P$t:t:T::old-x"]


def test_targets_are_names_or_patterns() -> None:
    targets = urns.Targets(("urn:a::b::c", "**::t:t:T::*"))
    assert "urn:a::b::c" in targets
    assert "urn:pulumi:s::p::q:q:Q$t:t:T::n" not in targets
    assert "urn:pulumi:s::p::t:t:T::n" in targets
    assert targets.literals() == ["urn:a::b::c"]


def thing(name: str, *needs: str, **more: Json) -> Resource:
    return Resource(urn=f"urn:pulumi:s::p::t:t:T::{name}", type="t:t:T", custom=True, dependencies=needs, **more)


names = st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True)


@given(names, st.data())
def test_nothing_is_deleted_before_what_needs_it(order: list[int], data: st.DataObject) -> None:
    urn = "urn:pulumi:s::p::t:t:T::{}".format
    condemned = []
    for place, name in enumerate(order):
        needs = data.draw(st.sets(st.sampled_from(order[:place]))) if place else set()
        condemned.append(thing(str(name), *(urn(need) for need in needs)))
    gone: set[str] = set()
    for wave in deletes.waves(condemned):
        left = [r for r in condemned if r.urn not in gone and r not in wave]
        assert not {need for r in left for need in r.dependencies} & {r.urn for r in wave}
        gone |= {r.urn for r in wave}
    assert gone == {r.urn for r in condemned}


def test_a_refresh_gives_orphans_to_their_grandparents() -> None:
    top, middle = thing("top"), thing("middle", parent="urn:pulumi:s::p::t:t:T::top")
    child = thing("child", middle.urn, parent=middle.urn, property_dependencies={"a": (middle.urn,), "b": (top.urn,)})
    left = refresh.rebuilt([(top, top), (middle, None), (child, child)])
    assert [r.urn for r in left] == [top.urn, child.urn]
    assert (left[1].parent, left[1].dependencies) == (top.urn, ())
    assert left[1].property_dependencies == {"b": (top.urn,)}


@pytest.mark.parametrize(("text", "expected"), [("90s", 90), ("1h30m", 5400), ("1.5s", 1.5), ("250ms", 0.25)])
def test_durations(text: str, expected: float) -> None:
    assert goals.seconds(text) == expected


@pytest.mark.parametrize("text", ["", "5", "5 m", "abc", "5d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a duration"):
        goals.seconds(text)


@given(st.binary(), st.binary())
def test_an_asset_is_its_content(first: bytes, second: bytes) -> None:
    one, two = (wire.hashed({SIGNATURE: values.ASSET, "text": data.hex()}, Path())["hash"] for data in (first, second))
    assert (one == two) == (first == second)


def test_a_folder_is_an_archive_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("1")
    archive = {SIGNATURE: values.ARCHIVE, "path": "in"}
    before = wire.hashed(archive, tmp_path)["hash"]
    assert wire.hashed(archive, tmp_path)["hash"] == before
    (tmp_path / "in" / "a").write_text("2")
    assert wire.hashed(archive, tmp_path)["hash"] != before
    with pytest.raises(InvalidInput, match="no such file"):
        wire.hashed({SIGNATURE: values.ASSET, "path": "none"}, tmp_path)
