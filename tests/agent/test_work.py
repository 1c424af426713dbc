"""The state machine of one revision."""

import pytest
from agent.agent_releases import release
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.agent import work
from alien_iac.agent.work import End, Work
from alien_iac.errors import InvalidInput, Unavailable, UpdateFailed

V1, V2 = release(1), release(2)
BROKEN = UpdateFailed("it broke")


def begun(back: bool = True) -> Work:  # noqa: FBT001, FBT002 - reads well where it is called
    return Work(revision=7, phase="applying", to=V2, back=V1 if back else None)


def drive(current: Work | End, *outcomes: bool) -> Work | End:
    for well in outcomes:
        assert isinstance(current, Work)
        current = work.succeeded(current) if well else work.failed(current, BROKEN)
    return current


@pytest.mark.parametrize(
    ("outcomes", "phase", "runs"),
    [
        ((True, True), "succeeded", V2),
        ((False, True, True), "returned", V1),
        ((True, False, True, True), "returned", V1),
        ((False, False), "failed", V1),
        ((True, False, True, False), "failed", V1),
    ],
)
def test_each_way_ends_where_the_picture_says(outcomes: tuple[bool, ...], phase: str, runs: object) -> None:
    end = drive(begun(), *outcomes)
    assert isinstance(end, End)
    assert (end.phase, end.runs) == (phase, runs)
    assert end.whole == (phase != "failed")
    if phase != "succeeded":
        assert "it broke" in end.reason


def test_without_a_way_back_a_failure_is_the_end() -> None:
    end = work.failed(begun(back=False), BROKEN)
    assert isinstance(end, End)
    assert (end.phase, end.runs, end.whole) == ("failed", V2, False)


def test_what_the_checks_refused_changed_nothing_and_needs_no_way_back() -> None:
    end = work.failed(begun(), InvalidInput("the stack has 1 error(s)"))
    assert isinstance(end, End)
    assert (end.phase, end.runs, end.whole) == ("failed", V1, True)


def test_an_update_that_kills_the_agent_is_not_tried_for_ever() -> None:
    current: Work | End = begun()
    for _ in range(work.MOST_ATTEMPTS - 1):
        assert isinstance(current, Work)
        current = work.resumed(current)
        assert isinstance(current, Work)
        assert current.phase == "applying"
    assert isinstance(current, Work)
    current = work.resumed(current)
    assert isinstance(current, Work)
    assert (current.phase, current.wanted) == ("returning", V1)


def test_an_update_that_was_cut_off_is_tried_again_and_not_for_ever() -> None:
    cut = Unavailable("the plugin's process was killed")
    current: Work | End = begun()
    for _ in range(work.MOST_ATTEMPTS - 1):
        assert isinstance(current, Work)
        current = work.failed(current, cut)
        assert isinstance(current, Work)
        assert (current.phase, current.wanted) == ("applying", V2)
    assert isinstance(current, Work)
    current = work.failed(current, cut)
    assert isinstance(current, Work)
    assert (current.phase, current.wanted) == ("returning", V1)


def test_looking_at_health_may_be_resumed_as_often_as_it_takes() -> None:
    current: Work | End = work.succeeded(begun())
    for _ in range(10):
        assert isinstance(current, Work)
        current = work.resumed(current)
    assert isinstance(current, Work)
    assert current.phase == "verifying"


@given(st.lists(st.sampled_from(["well", "badly", "killed"]), max_size=60), st.booleans())
def test_every_way_ends(outcomes: list[str], has_back: bool) -> None:  # noqa: FBT001 - given
    current: Work | End = begun(back=has_back)
    steps = 0
    for outcome in outcomes:
        if isinstance(current, End):
            break
        if outcome == "killed":
            current = work.resumed(current)
            continue
        steps += 1
        current = work.succeeded(current) if outcome == "well" else work.failed(current, BROKEN)
    assert steps <= 4
    if isinstance(current, End) and current.phase == "succeeded":
        assert current.runs == V2
