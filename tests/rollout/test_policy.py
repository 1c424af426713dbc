"""What a vendor writes in rollout.yaml, and what it means."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.errors import ConfigInvalid, NotFound
from alien_iac.rollout.policy import Policy, count_of, load, parse


def test_the_default_is_a_canary_then_half_then_the_rest() -> None:
    waves = Policy().waves
    assert [(wave.name, wave.size, wave.canary) for wave in waves] == [
        ("canary", 1, True),
        ("half", "50%", False),
        ("rest", None, False),
    ]
    assert waves[0].bake == timedelta(minutes=10)


def test_a_file_is_read_with_units_as_strings(tmp_path: Path) -> None:
    file = tmp_path / "rollout.yaml"
    file.write_text("max_concurrent: 10%\nwaves:\n- {name: one, size: 2, bake: 3s, failure_tolerance: 25%}\n")
    rules = load(file)
    assert rules.max_concurrent == "10%"
    assert rules.waves[0].bake == timedelta(seconds=3)
    assert Policy.model_validate(rules.model_dump(mode="json")) == rules


def test_an_empty_file_is_the_default_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "rollout.yaml"
    file.write_text("")
    assert load(file) == Policy()
    with pytest.raises(NotFound, match="there is no"):
        load(tmp_path / "none.yaml")


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        parse({"max_concurent": 3, "retries": -1, "waves": [{"name": "a", "bake": "soon"}, {"name": "b", "size": "x"}]})
    text = str(caught.value)
    for part in ("max_concurent: unknown key", "retries", "waves.0.bake", '"soon" is not a duration', "waves.1.size"):
        assert part in text


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"waves": [{"name": "a", "canary": True, "failure_tolerance": 1}]}, "tolerates no failure"),
        ({"waves": [{"name": "a"}, {"name": "a"}]}, "used twice: a"),
        ({"waves": []}, "at least 1"),
        ({"on_failure": "panic"}, "return-deployment"),
        ({"max_concurrent": "101%"}, "neither a count nor a percentage"),
        ({"max_concurrent": True}, "neither a count nor a percentage"),
    ],
)
def test_what_makes_no_sense_is_refused(data: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigInvalid, match=complaint):
        parse(data)


@pytest.mark.parametrize("text", ["- a", "{", "\x00"])
def test_a_file_that_is_no_map_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rollout.yaml"
    file.write_text(text)
    with pytest.raises(ConfigInvalid):
        load(file)


@given(st.integers(0, 100), st.integers(0, 10_000))
def test_a_percentage_is_rounded_down(percent: int, total: int) -> None:
    count = count_of(f"{percent}%", total)
    assert count <= total * percent / 100 < count + 1
