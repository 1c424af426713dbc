"""Whatever the programs were: afterwards the state is the last program, and the provider's world is the state."""

import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest
from engine.probe_programs import Program, Thing
from engine.probed import Probed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi import Output, ResourceOptions

from alien_iac.engine.command import EmbeddedPulumi

NAMES = "abcd"

thing = st.fixed_dictionaries(
    {"value": st.sampled_from("12")},
    optional={
        "kind": st.sampled_from("xy"),
        "slot": st.sampled_from("xy"),
        "fail": st.sampled_from(["create", "update", "half"]),
    },
)
plan = st.dictionaries(st.sampled_from(NAMES), st.tuples(thing, st.sets(st.sampled_from(NAMES))), max_size=4)
plans = st.lists(plan, min_size=1, max_size=4)


def program(wanted: dict[str, tuple[dict[str, str], set[str]]]) -> Program:
    """Things that depend on those before them; the slot of one is the serial of another, where it has both."""

    def run() -> None:
        made: dict[str, Thing] = {}
        for name in sorted(wanted):
            props, needs = wanted[name]
            before = [made[need] for need in sorted(needs) if need in made]
            inputs: dict[str, object] = dict(props)
            if before and "slot" in props:
                inputs["slot"] = Output.concat(props["slot"], before[0].serial.apply(str))
            made[name] = Thing(name, ResourceOptions(depends_on=before), **inputs)

    return run


def agree(probed: Probed) -> None:
    """The provider has exactly what the state says, with the same inputs; dependencies stand before dependents."""
    state = [r for r in probed.state() if r["type"] == "probe:index:Thing" and not r.get("pendingReplacement")]
    assert {r["id"]: r["inputs"] for r in state} == {k: v["inputs"] for k, v in probed.world().items()}
    seen: set[str] = set()
    for resource in probed.state():
        assert set(resource.get("dependencies", [])) <= seen
        seen.add(resource["urn"])
    assert probed.pending() == []


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans)
def test_the_world_is_the_state_is_the_last_program(sequence: list[dict[str, tuple[dict[str, str], set[str]]]]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        probed = Probed(folder, EmbeddedPulumi())
        for wanted in sequence:
            with contextlib.suppress(probed.error):  # some are meant to fail
                probed.up(program(wanted))
            agree(probed)
        healthy = {k: ({x: y for x, y in v[0].items() if x != "fail"}, v[1]) for k, v in sequence[-1].items()}
        probed.up(program(healthy))
        agree(probed)
        assert probed.names() == sorted(healthy)
        assert probed.up(program(healthy)) == {"same": 1 + len(healthy)}
        probed.run("destroy", program({}))
        assert probed.state() == []
        assert probed.world() == {}
    finally:
        shutil.rmtree(folder)
