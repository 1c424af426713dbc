import pytest
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.models.units import parse_bytes, parse_seconds


@pytest.mark.parametrize(("text", "value"), [("1Ki", 1024), ("512Mi", 536_870_912), ("20Gi", 21_474_836_480)])
def test_sizes(text: str, value: int) -> None:
    assert parse_bytes(text) == value


@pytest.mark.parametrize(("text", "value"), [("45s", 45), ("3m", 180), ("2h", 7200), ("4d", 345_600)])
def test_durations(text: str, value: int) -> None:
    assert parse_seconds(text) == value


@pytest.mark.parametrize("text", ["", "512", "0Mi", "-1Gi", "1.5Gi", "512MB", "512 Mi", "Mi", "\uff11Gi", "1Gi\n"])
def test_what_is_no_size_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match='such as "512Mi"'):
        parse_bytes(text)


@pytest.mark.parametrize("text", ["", "3", "0m", "3 m", "3M", "1h30m", "m", "-3m", "3m\n"])
def test_what_is_no_duration_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match='such as "3m"'):
        parse_seconds(text)


@given(st.integers(min_value=1, max_value=10**9))
def test_units_are_whole_multiples(number: int) -> None:
    assert parse_bytes(f"{number}Mi") == 1024 * parse_bytes(f"{number}Ki")
    assert parse_seconds(f"{number}h") == 60 * parse_seconds(f"{number}m")
