"""Targets, excludes, parallelism, going on after errors, destroying with the program."""

import time
from pathlib import Path

import pulumi
import pytest
from engine.probe_programs import Group, Program, Thing, chain, empty, one, things
from engine.probed import Probed
from pulumi import ResourceOptions

from alien_iac.engine.command import EmbeddedPulumi

URN = "urn:pulumi:s::probe-test::probe:index:Thing::"
TWO = things(("a", {"value": "1"}), ("b", {"value": "2"}))
OTHER_TWO = things(("a", {"value": "7"}), ("b", {"value": "8"}))


@pytest.fixture
def probed(tmp_path: Path) -> Probed:
    return Probed(tmp_path, EmbeddedPulumi())


def values(probed: Probed) -> dict[str, str]:
    things = [r for r in probed.state() if r["type"] == "probe:index:Thing"]
    return {r["urn"].split("::")[-1]: r["inputs"]["value"] for r in things}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"target": [URN + "a"]}, {"a": "7", "b": "2"}),
        ({"target": ["**Thing::b"]}, {"a": "1", "b": "8"}),
        ({"exclude": [URN + "a"]}, {"a": "1", "b": "8"}),
        ({"exclude": ["**::*"]}, {"a": "1", "b": "2"}),
    ],
)
def test_only_what_is_targeted_is_updated(
    probed: Probed, flags: dict[str, list[str]], expected: dict[str, str]
) -> None:
    probed.up(TWO)
    probed.up(OTHER_TWO, **flags)
    assert values(probed) == expected


def test_an_unknown_target_is_an_error(probed: Probed) -> None:
    probed.up(TWO)
    said = probed.failing("up", TWO, target=[URN + "none"])
    assert f"error: Target '{URN}none' could not be found in the stack." in said


def test_dependents_of_a_target_go_along_if_asked(probed: Probed) -> None:
    probed.up(chain("1", "2", "3"))
    probed.up(chain("x", "y", "z"), target=[URN + "a"])
    assert values(probed) == {"a": "x", "b": "21", "c": "3"}
    probed.up(chain("1", "y", "z"), target=[URN + "b"], target_dependents=True)
    assert values(probed) == {"a": "x", "b": "y2", "c": "z"}


def test_dependents_of_what_is_excluded_stay_if_asked(probed: Probed) -> None:
    probed.up(chain("1", "2", "3"))
    probed.up(chain("x", "y", "z"), exclude=[URN + "b"], exclude_dependents=True)
    assert values(probed) == {"a": "x", "b": "21", "c": "3"}


def test_what_is_not_targeted_is_not_created(probed: Probed) -> None:
    probed.up(things(("a", {"value": "1"})))
    assert probed.up(TWO, target=[URN + "a"]) == {"same": 3}
    assert probed.names() == ["a"]


def test_a_target_that_needs_what_is_not_there_is_an_error(probed: Probed) -> None:
    probed.up(empty)
    said = probed.failing("up", chain("1", "2", "3"), target=[URN + "c"])
    assert f"Resource '{URN}c' depends on '{URN}b' which was was not specified in --target list." in said
    assert probed.names() == []


def test_a_removed_resource_that_is_not_targeted_stays(probed: Probed) -> None:
    probed.up(TWO)
    probed.up(one(), target=[URN + "a"])
    assert probed.names() == ["a", "b"]


def test_a_target_is_destroyed_with_its_dependents_or_not_at_all(probed: Probed) -> None:
    probed.up(chain("1", "2", "3"))
    said = probed.failing("destroy", empty, target=[URN + "b"])
    assert f"Resource '{URN}c' will be destroyed but was not specified in --target list." in said
    assert len(probed.world()) == 3
    probed.run("destroy", empty, target=[URN + "b"], target_dependents=True)
    assert probed.names() == ["a"]


def test_what_an_excluded_resource_needs_is_not_deleted(probed: Probed) -> None:
    probed.up(chain("1", "2", "3"))
    probed.up(empty, exclude=[URN + "b"])
    assert probed.names() == ["a", "b"]


def waiting(count: int) -> Program:
    return things(*[(f"t{i}", {"value": "1", "wait": 0.4}) for i in range(count)])


def test_independent_resources_are_made_at_once(probed: Probed) -> None:
    probed.up(waiting(4))
    assert [op for op, _ in probed.calls()] == ["begin"] * 4 + ["create"] * 4


def test_parallel_limits_how_many_are_made_at_once(probed: Probed) -> None:
    probed.up(waiting(3), parallel=1)
    assert [op for op, _ in probed.calls()] == ["begin", "create"] * 3


def test_what_failed_is_skipped_with_its_dependents_and_the_rest_goes_on(probed: Probed) -> None:
    def program() -> None:
        failing = Thing("f", value="1", fail="create")
        Thing("after", ResourceOptions(depends_on=[failing]), value="2")
        Thing("other", value="3")

    probed.up(one())
    said = probed.failing("up", program, continue_on_error=True)
    assert "error: update failed" in said
    assert probed.names() == ["other"]
    assert sorted(probed.calls()) == [("create", "a"), ("create", "other"), ("create-failed", "f"), ("delete", "a")]


def test_what_could_not_be_updated_and_what_needs_it_stays(probed: Probed) -> None:
    def program(value: str, **more: str) -> Program:
        def run() -> None:
            failing = Thing("f", None, value=value, **more)
            Thing("after", ResourceOptions(depends_on=[failing]), value=value)
            Thing("other", value=value)

        return run

    probed.up(program("1"))
    probed.failing("up", program("2", fail="update"), continue_on_error=True)
    assert values(probed) == {"f": "1", "after": "1", "other": "2"}
    assert probed.calls("delete") == []


def test_destroy_goes_on_around_what_cannot_be_deleted(probed: Probed) -> None:
    def program() -> None:
        root = Thing("root", value="0")
        Thing("stuck", ResourceOptions(depends_on=[root]), value="1", fail="delete")
        Thing("free", value="2")

    probed.up(program)
    probed.failing("destroy", empty, continue_on_error=True)
    assert probed.names() == ["root", "stuck"]


def test_without_it_the_first_failure_stops_what_was_not_begun(probed: Probed) -> None:
    def program() -> None:
        failing = Thing("f", value="1", fail="create")
        Thing("after", ResourceOptions(depends_on=[failing]), value="2")

    begun = time.monotonic()
    probed.failing("up", program)
    assert probed.names() == []
    assert time.monotonic() - begun < 5


def test_destroy_may_run_the_program_for_its_providers(probed: Probed) -> None:
    ran: list[str] = []

    def program() -> None:
        ran.append("ran")
        Group("g", 2)
        Thing("new", value="9")

    probed.up(lambda: (Group("g", 2), None)[1])
    probed.run("destroy", program, run_program=True)
    assert ran == ["ran"]
    assert probed.state() == []
    assert probed.world() == {}


def test_a_component_output_that_disappears_disappears(probed: Probed) -> None:
    probed.up(lambda: pulumi.export("x", 1))
    probed.up(lambda: pulumi.export("y", 2))
    assert {k: v.value for k, v in probed.stack.outputs().items()} == {"y": 2}


def test_outputs_of_a_failed_update_stay(probed: Probed) -> None:
    probed.up(lambda: pulumi.export("x", 1))

    def program() -> None:
        pulumi.export("y", 2)
        Thing("f", value="1", fail="create")

    probed.failing("up", program)
    assert {k: v.value for k, v in probed.stack.outputs().items()} == {"x": 1, "y": 2}


def test_a_preview_of_a_destroy_changes_nothing(probed: Probed) -> None:
    probed.up(TWO)
    probed.forget()
    result = probed.run("destroy", empty, preview_only=True)
    assert "- 3 to delete" in result.stdout
    assert probed.calls() == []
    assert probed.names() == ["a", "b"]


@pytest.mark.parametrize("do", ["refresh", "destroy"])
def test_a_target_that_is_not_in_the_state_is_refused_at_once(probed: Probed, do: str) -> None:
    probed.up(TWO)
    assert f"no resource named '{URN}none' found" in probed.failing(do, empty, target=[URN + "none"])
    assert probed.names() == ["a", "b"]


def test_a_refresh_reads_only_its_targets(probed: Probed) -> None:
    probed.up(chain("1", "2", "3"))
    probed.forget()
    probed.run("refresh", empty, target=[URN + "a"])
    assert probed.calls() == [("read", "a")]
    probed.forget()
    probed.run("refresh", empty, target=[URN + "b"], target_dependents=True)
    assert sorted(probed.calls()) == [("read", "b"), ("read", "c")]
