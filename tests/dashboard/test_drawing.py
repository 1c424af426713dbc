"""What the pictures are drawn from: plots, waterfalls, lanes and words, without a browser."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alien_iac.control.dashboard import lanes, plots, waterfall, words
from alien_iac.control.dashboard.pages import sentence
from alien_iac.protocol.telemetry.answers import Point, SpanLine
from alien_iac.rollout.policy import Policy
from alien_iac.rollout.state import Header, State, Target, TargetState, WavePlan

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NUMBERS = st.floats(min_value=-1e12, max_value=1e12)


def point(value: float | None, minutes: float = 1, **more: Any) -> Point:
    at = NOW - timedelta(minutes=minutes)
    facts = {"number": 1, "deployment_id": "d", "customer": "c", "workload": "api", "name": "m", "kind": "gauge"}
    return Point.model_validate({**facts, "at": at, "value": value, **more})


def span(span_id: str, parent: str | None = None, start: float = 0, ms: float = 10, **more: Any) -> SpanLine:
    at = NOW + timedelta(milliseconds=start)
    facts = {"number": 1, "deployment_id": "d", "customer": "c", "workload": "w", "name": span_id, "kind": "internal"}
    return SpanLine.model_validate(
        {**facts, "at": at, "trace_id": "t", "span_id": span_id, "parent_id": parent, "ms": ms, **more}
    )


@given(st.lists(NUMBERS, min_size=1, max_size=30))
@settings(max_examples=50)
def test_every_value_lies_within_the_scale_and_zero_too(values: list[float]) -> None:
    low, high = plots.scale(values)
    assert low < high
    assert all(low <= value <= high for value in [0.0, *values])


@given(st.lists(st.tuples(NUMBERS, st.floats(min_value=-10, max_value=80)), min_size=1, max_size=30))
@settings(max_examples=50)
def test_a_plot_stays_within_its_frame(points: list[tuple[float, float]]) -> None:
    (plot,) = plots.draw([point(value, minutes) for value, minutes in points], NOW - HOUR, NOW)
    (series,) = plot.series
    numbers = [float(word) for word in series.path.replace("M", " ").replace("L", " ").replace("h8", "").split()]
    assert all(0 <= x <= plots.WIDTH for x in numbers[::2])
    assert all(-0.1 <= y <= plots.HEIGHT + 0.1 for y in numbers[1::2])


def test_series_are_told_apart_by_workload_and_attributes_and_the_rest_is_counted() -> None:
    points = [point(1, attributes={"route": f"/{number}"}) for number in range(9)]
    (plot,) = plots.draw(points, NOW - HOUR, NOW)
    assert [each.label for each in plot.series][:2] == ["api route=/0", "api route=/1"]
    assert (len(plot.series), plot.left_out) == (plots.MOST_SERIES, 3)


def test_a_histogram_is_drawn_as_its_mean_and_what_has_no_value_is_not() -> None:
    made = plots.draw([point(None, kind="histogram", count=4, sum=10.0), point(None, name="n")], NOW - HOUR, NOW)
    assert [(each.name, each.kind, [line.last for line in each.series]) for each in made] == [
        ("m", "mean", [2.5]),
        ("n", "mean", []),
    ]


def test_children_stand_below_their_parents_and_orphans_are_roots() -> None:
    spans = [span("late", "root", 50), span("root", ms=100), span("early", "root", 5), span("orphan", "gone", 20)]
    made = waterfall.draw([*spans, span("deep", "early", 6)])
    assert [(bar.span.name, bar.depth) for bar in made.bars] == [
        ("root", 0),
        ("early", 1),
        ("deep", 2),
        ("late", 1),
        ("orphan", 0),
    ]
    assert made.ms == 100


SPANS = st.lists(
    st.tuples(st.integers(0, 6), st.one_of(st.none(), st.integers(0, 6)), st.floats(0, 1e4), st.floats(0, 1e4)),
    min_size=1,
    max_size=12,
)


@given(SPANS)
@settings(max_examples=100)
def test_every_span_has_one_bar_whatever_a_sender_says(rows: list[tuple[int, int | None, float, float]]) -> None:
    """Loops, equal ids and spans that are their own parents too."""
    spans = [span(f"{own}", None if up is None else f"{up}", start, ms) for own, up, start, ms in rows]
    made = waterfall.draw(spans)
    assert sorted(id(bar.span) for bar in made.bars) == sorted(map(id, spans))
    assert all(bar.x >= 0 and bar.width > 0 and bar.x + bar.width <= waterfall.WIDTH for bar in made.bars)


def rollout(states: Sequence[TargetState], **header: Any) -> State:
    policy = Policy.model_validate({"waves": [{"name": "all"}]})
    plan = WavePlan(name="all", size=len(states), tolerance=0, canary=False)
    targets = [
        Target(deployment_id=f"d{number}", customer=f"c{number}", wave=0, state=state)
        for number, state in enumerate(states)
    ]
    facts = {"id": "r", "release": "1", "policy": policy, "waves": (plan,), "max_concurrent": 9, "created_at": NOW}
    return State.of(Header(**{**facts, **header}), targets)


@given(st.lists(st.sampled_from(TargetState), min_size=1, max_size=60))
@settings(max_examples=60)
def test_the_segments_of_a_lane_are_all_of_it(states: list[TargetState]) -> None:
    (lane,) = lanes.draw(rollout(states))
    assert sum(part.count for part in lane.segments) == lane.size == len(states)
    assert lane.segments[0].x == 0
    assert sum(part.width for part in lane.segments) == lanes.WIDTH
    assert len(lane.shown) + lane.more == lane.size


def test_what_failed_is_shown_first() -> None:
    (lane,) = lanes.draw(rollout([*[TargetState.SUCCEEDED] * 40, TargetState.FAILED]))
    assert lane.shown[0].customer == "c40"
    assert (len(lane.shown), lane.more) == (lanes.SHOWN, 41 - lanes.SHOWN)


def test_actions_that_make_no_sense_are_not_offered() -> None:
    assert lanes.offered(rollout([TargetState.PENDING]), "me") == ["pause", "abort"]
    assert lanes.offered(rollout([TargetState.PENDING], paused=True), "me") == ["resume", "abort"]


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=25), "1 d ago"),
        (-timedelta(minutes=59), "in 59 min"),
    ],
)
def test_times_are_relative(passed: timedelta, said: str) -> None:
    assert words.ago(NOW - passed, NOW) == said


def test_numbers_are_short() -> None:
    said = [words.number(value) for value in (0, 0.04096, 869, 9_999, 19_470, 2.5e6, 3e10, -15_000)]
    assert said == ["0", "0.04096", "869", "9999", "19.5 k", "2.5 M", "30 G", "-15 k"]
    assert [words.milliseconds(value) for value in (0.5, 41.26, 412, 4_120, 90_000)] == [
        "0.5 ms",
        "41.3 ms",
        "412 ms",
        "4.12 s",
        "1 min",
    ]


def test_a_state_has_a_tone_and_every_state_of_a_rollout_its_group() -> None:
    assert [words.tone(word) for word in ("healthy", "DISPATCHED", "unknown")] == ["good", "busy", "idle"]
    assert words.tone("running", "rollout") == "busy"
    groups = [lanes.filtered(rollout([state]), name) for name in lanes.GROUPS for state in TargetState]
    assert sum(map(len, groups)) == len(TargetState)


def test_messages_are_sentences_and_never_markup() -> None:
    assert (
        sentence('no "<b>" here; `alien <x>` lists')
        == "No &#34;&lt;b&gt;&#34; here; <code>alien &lt;x&gt;</code> lists"
    )
    assert sentence("a lone ` stays") == "A lone ` stays"
    assert sentence("") == ""
