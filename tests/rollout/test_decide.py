"""What each event does to a rollout: the way up, failures, time, and people."""

from datetime import timedelta

import pytest
from rollout.rollout_world import CANARY, REST, Action, Phase, Play, deployment, deployments, policy

from alien_iac.rollout import timers
from alien_iac.rollout.events import Notify, StartTimer
from alien_iac.rollout.policy import Approval, Wave
from alien_iac.rollout.summary import summary, view, word

ONE = Wave(name="all")


def baked(minutes: int) -> Wave:
    return CANARY.model_copy(update={"bake": timedelta(minutes=minutes)})


def test_waves_follow_each_other_and_the_rollout_succeeds() -> None:
    play = Play(deployments(3), policy(CANARY, REST))
    assert play.kinds() == [("set-desired", "d0000")]
    play.succeed("d0000")
    assert play.kinds()[1:] == [("set-desired", "d0001"), ("set-desired", "d0002")]
    play.succeed("d0001", "d0002")
    assert word(play.state) == "succeeded"
    assert summary(play.state) == "3/3 updated"
    assert isinstance(play.effects[-1], Notify)


def test_done_is_not_healthy_until_the_heartbeats_say_so() -> None:
    play = Play(deployments(1), policy(ONE, verify={"successes": 2}))
    play.report("d0000", "accepted")
    play.report("d0000", "succeeded", release="v2")
    play.hear("d0000", running="v1")
    play.hear("d0000")
    play.hear("d0000", "unhealthy")
    play.hear("d0000")
    assert play.states() == {"d0000": "verifying"}
    play.hear("d0000")
    assert play.states() == {"d0000": "succeeded"}


def test_no_signal_is_a_failure_and_the_deployment_is_taken_back() -> None:
    play = Play(deployments(1), policy(ONE))
    play.report("d0000", "succeeded", release="v2")
    play.later(minutes=5)
    play.due()
    assert play.kinds()[-1] == ("return", "d0000")
    assert word(play.state) == "halting"
    play.report("d0000", "returned", release="v1")
    assert (word(play.state), play.states()) == ("halted", {"d0000": "returned"})
    assert "did not show that it is healthy within" in summary(play.state)


def test_a_bad_canary_halts_the_rollout_and_the_others_are_never_told() -> None:
    play = Play(deployments(3), policy(CANARY, REST))
    play.report("d0000", "returned", release="v1", reason="unhealthy")
    assert word(play.state) == "halted"
    assert {key for _, key in play.kinds()} == {"d0000"}
    assert play.states() == {"d0000": "returned", "d0001": "cancelled", "d0002": "cancelled"}
    assert summary(play.state) == "0/3 updated, 1 returned, 2 cancelled (1 failed, D0000 first: unhealthy)"


def test_a_wave_tolerates_what_its_policy_says() -> None:
    play = Play(deployments(4), policy(Wave(name="all", failure_tolerance="25%")))
    play.report("d0000", "returned")
    play.succeed("d0001", "d0002", "d0003")
    assert word(play.state) == "succeeded"
    again = Play(deployments(4), policy(Wave(name="all", failure_tolerance="25%"), max_concurrent=1))
    again.report("d0000", "returned")
    again.report("d0001", "returned")
    assert word(again.state) == "halted"
    assert again.states()["d0002"] == "cancelled"


@pytest.mark.parametrize(
    ("on_failure", "failed", "sibling"),
    [
        ("return-deployment", "returning", "succeeded"),
        ("return-wave", "returning", "returning"),
        ("halt", "failed", "succeeded"),
        ("continue", "failed", "succeeded"),
    ],
)
def test_on_failure(on_failure: str, failed: str, sibling: str) -> None:
    play = Play(deployments(3), policy(Wave(name="two", size=2), REST, on_failure=on_failure))
    play.succeed("d0000")
    play.report("d0001", "failed", reason="boom")
    assert play.states()["d0001"] == failed
    assert play.states()["d0000"] == sibling
    assert play.states()["d0002"] == ("starting" if on_failure == "continue" else "cancelled")


def test_what_is_in_flight_may_end_while_the_rollout_halts() -> None:
    play = Play(deployments(2), policy(ONE))
    play.report("d0001", "accepted")
    play.report("d0000", "returned")
    assert word(play.state) == "halting"
    play.report("d0001", "succeeded", release="v2")
    play.hear("d0001")
    assert (word(play.state), play.states()["d0001"]) == ("halted", "succeeded")


def test_max_concurrent_holds_and_strict_starts_no_more_than_may_fail() -> None:
    assert len(Play(deployments(9), policy(ONE, max_concurrent=4)).kinds()) == 4
    assert len(Play(deployments(9), policy(ONE, max_concurrent="50%")).kinds()) == 4
    strict = policy(Wave(name="all", failure_tolerance=2), max_concurrent=8, concurrency_mode="strict")
    play = Play(deployments(9), strict)
    assert len(play.kinds()) == 3
    play.report("d0000", "returned")
    assert list(play.states().values()).count("starting") == 2


def test_an_agent_that_does_not_answer_is_neither_success_nor_failure() -> None:
    play = Play(deployments(2), policy(ONE))
    play.succeed("d0000")
    play.later(minutes=5)
    play.due()
    assert (word(play.state), play.states()["d0001"]) == ("succeeded", "unreachable")
    assert play.kinds() == [("set-desired", "d0000"), ("set-desired", "d0001")]


def test_while_others_go_on_the_release_is_withdrawn_from_who_does_not_answer() -> None:
    play = Play(deployments(2), policy(ONE))
    play.report("d0000", "accepted")
    play.later(minutes=5)
    play.due()
    assert play.kinds()[-1] == ("return", "d0001")
    play.succeed("d0000")
    assert play.kinds()[-1] == ("set-desired", "d0001")


def test_who_comes_back_during_the_rollout_gets_a_turn() -> None:
    play = Play([deployment("a"), deployment("b", last_seen=None)], policy(ONE))
    play.hear("b", running="v1")
    assert play.states() == {"a": "starting", "b": "starting"}


def test_who_cannot_be_reached_is_looked_for_while_the_rollout_runs() -> None:
    play = Play([deployment("a"), deployment("b", last_seen=None)], policy(ONE))
    assert play.state.header.wake_at == play.now + timedelta(seconds=30)
    assert timers.watched(play.state) == ("b",)
    play.later(seconds=30)
    play.due("b")
    assert play.states()["b"] == "starting"


def test_a_canary_that_shows_nothing_is_replaced() -> None:
    play = Play(deployments(2), policy(CANARY, REST))
    play.report("d0000", "waiting", reason="approval")
    assert play.states() == {"d0000": "waiting", "d0001": "starting"}
    play.report("d0001", "waiting", reason="approval")
    assert word(play.state) == "halted"
    assert "no deployment took the release" in summary(play.state)


def test_a_customer_who_approves_later_still_takes_part() -> None:
    play = Play(deployments(2), policy(ONE))
    play.report("d0000", "waiting", reason="window")
    play.succeed("d0000", "d0001")
    assert word(play.state) == "succeeded"


def test_a_refusal_is_the_customers_right_but_a_broken_signature_is_a_failure() -> None:
    play = Play(deployments(3), policy(ONE))
    play.report("d0000", "refused", reason="denied", error_code="FORBIDDEN")
    assert play.states()["d0000"] == "skipped"
    play.report("d0001", "refused", reason="bad signature", error_code="UNTRUSTED")
    assert word(play.state) == "halting"


def test_an_error_that_may_go_away_is_tried_again_with_a_growing_pause() -> None:
    play = Play(deployments(1), policy(ONE, retries=2, retry_pause="30s"))
    for pause in (30, 60):
        play.report("d0000", "failed", error_code="UNAVAILABLE", reason="no network")
        assert play.states() == {"d0000": "retrying"}
        play.later(seconds=pause - 1)
        play.due()
        assert play.states() == {"d0000": "retrying"}
        play.later(seconds=1)
        play.due()
        assert play.states() == {"d0000": "starting"}
    assert [kind for kind, _ in play.kinds()] == ["set-desired"] * 3
    play.report("d0000", "failed", error_code="UNAVAILABLE")
    assert word(play.state) == "halting"


def test_nothing_is_tried_again_once_the_rollout_stops() -> None:
    play = Play(deployments(1), policy(ONE))
    play.report("d0000", "accepted")
    play.act("abort")
    play.report("d0000", "failed", error_code="UNAVAILABLE")
    assert play.states() == {"d0000": "returning"}


def test_an_update_that_never_ends_has_failed() -> None:
    play = Play(deployments(1), policy(ONE, update_deadline="1h"))
    play.report("d0000", "applying")
    play.later(hours=1)
    play.due()
    assert play.states() == {"d0000": "returning"}
    play.later(hours=1)
    play.due()
    assert (word(play.state), play.states()) == ("halted", {"d0000": "return-failed"})


def test_a_bake_holds_the_next_wave_until_its_time_and_its_health() -> None:
    play = Play(deployments(2), policy(baked(10), REST))
    play.succeed("d0000")
    assert word(play.state) == "baking"
    play.later(minutes=5)
    play.due("d0000")
    assert word(play.state) == "baking"
    play.later(minutes=5)
    play.due("d0000")
    assert play.states()["d0001"] == "starting"


def test_silence_at_the_end_of_a_bake_is_a_failure() -> None:
    play = Play(deployments(2), policy(baked(1), REST))
    play.succeed("d0000")
    play.later(minutes=2)
    play.due()
    assert play.states() == {"d0000": "returning", "d0001": "cancelled"}


def test_sickness_during_a_bake_is_a_failure_at_once() -> None:
    play = Play(deployments(2), policy(baked(10), REST))
    play.succeed("d0000")
    play.hear("d0000", "unhealthy")
    assert word(play.state) == "baking"
    play.hear("d0000", "unhealthy")
    assert play.states() == {"d0000": "returning", "d0001": "cancelled"}


def test_promote_ends_a_bake_early() -> None:
    play = Play(deployments(2), policy(baked(10), REST))
    assert play.act("promote").refusal == "no wave is baking"
    play.succeed("d0000")
    play.act("promote")
    assert play.states()["d0001"] == "starting"


def test_a_gate_waits_for_the_right_person_and_expires() -> None:
    gated = policy(CANARY, Wave(name="rest", approval=Approval(by=("bob",))))
    play = Play(deployments(2), gated)
    play.succeed("d0000")
    assert word(play.state) == "waiting for approval"
    assert any(isinstance(each, Notify) and each.subject == "approval" for each in play.effects)
    assert play.act("approve", actor="ann").refusal == "ann may not approve this wave; bob may"
    play.act("approve", actor="bob")
    assert play.states()["d0001"] == "starting"
    late = Play(deployments(2), gated)
    late.succeed("d0000")
    late.later(days=1)
    late.due()
    assert word(late.state) == "halted"
    assert "nobody approved in time" in summary(late.state)


def test_pause_lets_running_ones_end_and_resume_goes_on() -> None:
    play = Play(deployments(3), policy(ONE, max_concurrent=1))
    play.act("pause")
    play.succeed("d0000")
    assert (word(play.state), play.states()["d0001"]) == ("paused", "pending")
    play.act("resume")
    assert play.states()["d0001"] == "starting"


def test_abort_withdraws_what_was_only_offered() -> None:
    play = Play(deployments(3), policy(ONE, max_concurrent=2))
    play.report("d0000", "accepted")
    play.act("abort")
    assert play.kinds()[-1] == ("return", "d0001")
    play.report("d0000", "succeeded", release="v2")
    play.hear("d0000")
    assert word(play.state) == "aborted"
    assert play.states() == {"d0000": "succeeded", "d0001": "cancelled", "d0002": "cancelled"}


def test_rollback_takes_everything_back_even_after_the_end() -> None:
    play = Play(deployments(2), policy(CANARY, REST))
    play.succeed("d0000", "d0001")
    play.act("rollback")
    assert word(play.state) == "returning"
    play.report("d0000", "succeeded", release="v1")
    play.report("d0001", "unchanged", release="v1")
    assert (word(play.state), set(play.states().values())) == ("returned", {"returned"})


def test_retry_gives_failed_and_cancelled_ones_another_turn() -> None:
    play = Play(deployments(2), policy(CANARY, REST))
    play.report("d0000", "returned")
    play.act("retry")
    assert word(play.state) == "running"
    play.succeed("d0000", "d0001")
    assert word(play.state) == "succeeded"


def test_skip_leaves_one_out() -> None:
    play = Play(deployments(2), policy(ONE, max_concurrent=1))
    play.act("skip", "d0001")
    play.succeed("d0000")
    assert (word(play.state), play.states()["d0001"]) == ("succeeded", "skipped")


@pytest.mark.parametrize(
    ("action", "key", "complaint"),
    [
        ("resume", None, "not paused"),
        ("approve", None, "no wave waits"),
        ("skip", None, "name the deployment"),
        ("skip", "nobody", "'nobody' is none"),
        ("skip", "d0000", "D0000 is updating"),
        ("retry", None, "nothing to try again"),
    ],
)
def test_an_action_that_makes_no_sense_is_refused(action: Action, key: str | None, complaint: str) -> None:
    play = Play(deployments(1), policy(ONE))
    play.report("d0000", "accepted")
    before = play.state
    assert complaint in str(play.act(action, key).refusal)
    assert play.state == before


def test_nothing_but_retry_and_rollback_after_the_end() -> None:
    play = Play(deployments(1), policy(ONE))
    play.succeed("d0000")
    assert "has ended (succeeded)" in str(play.act("pause").refusal)


def test_a_newer_rollout_takes_its_deployments_away() -> None:
    play = Play(deployments(3), policy(ONE))
    effects = len(play.kinds())
    play.supersede("d0000", "d0001", "d0002", "stranger")
    assert word(play.state) == "superseded"
    assert len(play.kinds()) == effects


PHASES: tuple[Phase, ...] = ("accepted", "applying", "succeeded", "unchanged", "failed", "returned", "refused")


@pytest.mark.parametrize("phase", PHASES)
def test_a_report_that_comes_twice_changes_nothing(phase: Phase) -> None:
    play = Play(deployments(2), policy(ONE))
    play.report("d0000", phase, release="v2")
    before = play.state
    play.revision -= 1
    again = play.report("d0000", phase, release="v2")
    assert (again.state, again.effects) == (before, ())


def test_a_report_on_an_earlier_attempt_changes_nothing() -> None:
    play = Play(deployments(1), policy(ONE))
    play.report("d0000", "returned")
    play.act("retry")
    assert play.states() == {"d0000": "starting"}
    play.revision -= 1
    late = play.report("d0000", "failed")
    assert (play.states(), late.effects) == ({"d0000": "starting"}, ())


def test_timers_are_set_once_for_the_next_instant_that_matters() -> None:
    play = Play(deployments(3), policy(ONE, reach_within="5m"))
    assert [each.at for each in play.effects if isinstance(each, StartTimer)] == [play.state.header.wake_at]
    play.report("d0000", "accepted")
    play.report("d0001", "accepted")
    assert sum(isinstance(each, StartTimer) for each in play.effects) == 1


def test_the_view_names_waves_states_and_messages() -> None:
    play = Play(deployments(2), policy(CANARY, REST))
    shown = view(play.state, 7)
    assert (shown.state, shown.wave, shown.version) == ("running", "canary", 7)
    assert [(each.wave, each.state, each.from_release) for each in shown.targets] == [
        ("canary", "starting", "v1"),
        ("rest", "pending", "v1"),
    ]
