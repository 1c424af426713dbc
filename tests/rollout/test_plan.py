"""Who is in which wave, and who takes no part and why."""

from datetime import timedelta

import pytest
from rollout.rollout_world import CANARY, REST, T0, deployment, deployments, policy, release

from alien_iac.errors import InvalidInput
from alien_iac.protocol.api import Deployment
from alien_iac.rollout.plan import Order, plan
from alien_iac.rollout.policy import Policy, Wave
from alien_iac.rollout.state import State


def planned(fleet: list[Deployment], rules: Policy, **selector: str) -> State:
    return plan(Order(rollout_id="r1", release=release(), policy=rules, selector=selector), fleet, T0)


def waves(state: State) -> dict[str, list[str]]:
    names = [wave.name for wave in state.header.waves]
    return {
        name: [key for key, target in state.targets.items() if target.wave == index and target.state == "pending"]
        for index, name in enumerate(names)
    }


def test_three_deployments_by_the_default_policy() -> None:
    assert waves(planned(deployments(3), Policy())) == {"canary": ["d0000"], "half": ["d0001"], "rest": ["d0002"]}


def test_percentages_are_of_all_planned_and_never_less_than_one() -> None:
    rules = policy(CANARY, Wave(name="few", size="10%"), Wave(name="half", size="50%"), REST)
    sizes = {name: len(keys) for name, keys in waves(planned(deployments(100), rules)).items()}
    assert sizes == {"canary": 1, "few": 10, "half": 50, "rest": 39}
    small = {name: len(keys) for name, keys in waves(planned(deployments(3), rules)).items()}
    assert small == {"canary": 1, "few": 1, "half": 1, "rest": 0}


def test_a_wave_selects_by_labels_and_who_is_in_none_is_listed() -> None:
    fleet = [deployment("a", labels={"ring": "early"}), deployment("b"), deployment("c", labels={"ring": "late"})]
    rules = policy(Wave(name="early", selector={"ring": "early"}), Wave(name="late", selector={"ring": "late"}))
    state = planned(fleet, rules)
    assert waves(state) == {"early": ["a"], "late": ["c"]}
    assert (state.targets["b"].state, state.targets["b"].message) == ("skipped", "no wave of the policy takes it")


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({"pinned": "v1"}, "skipped", "pinned to v1"),
        ({"pinned": "v2"}, "pending", ""),
        ({"platform": "aws"}, "skipped", "the release is not for aws"),
        ({"status": "enrolling"}, "skipped", "no agent has enrolled yet"),
        ({"last_seen": None}, "unreachable", "never seen"),
        ({"last_seen": T0 - timedelta(minutes=6)}, "unreachable", "last seen 2025-12-31T23:54:00+00:00"),
        ({"release": "v2"}, "unchanged", "runs the release already"),
        ({"release": "v2", "health": "unhealthy"}, "pending", ""),
    ],
)
def test_who_takes_no_part_is_listed_with_the_reason(changes: dict[str, object], state: str, reason: str) -> None:
    target = planned([deployment("a", **changes), deployment("b")], Policy()).targets["a"]
    assert (target.state, target.message) == (state, reason)


def test_canaries_are_healthy_deployments_that_were_seen_lately() -> None:
    fleet = [
        deployment("a", last_seen=T0 - timedelta(days=1)),
        deployment("b", health="unhealthy"),
        deployment("c"),
    ]
    assert waves(planned(fleet, Policy()))["canary"] == ["c"]


def test_a_selector_that_matches_nothing_or_too_much_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no deployment matches ring=x"):
        planned(deployments(3), Policy(), ring="x")
    with pytest.raises(InvalidInput, match="matches 3 deployments, and the policy's max_targets is 2"):
        planned(deployments(3), policy(max_targets=2))


def test_the_selector_knows_the_customer_and_a_gone_deployment_is_not_there() -> None:
    fleet = [deployment("a"), deployment("b"), deployment("c", status="gone")]
    assert list(planned(fleet, Policy(), customer="B").targets) == ["b"]
    assert sorted(planned(fleet, Policy()).targets) == ["a", "b"]


def test_a_plan_survives_json() -> None:
    state = planned(deployments(5), Policy())
    assert State.from_json(state.to_json()) == state
