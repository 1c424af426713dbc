"""The customer's say."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from alien_iac.agent import say
from alien_iac.errors import InvalidInput


def written(tmp_path: Path, text: str) -> say.Say:
    path = tmp_path / "customer.yaml"
    path.write_text(text)
    return say.read(path)


def test_the_text_that_enrolment_writes_is_the_default(tmp_path: Path) -> None:
    assert written(tmp_path, say.DEFAULT_TEXT) == say.Say()
    assert written(tmp_path, "") == say.Say()


@pytest.mark.parametrize(
    "text", ["updates: maybe", "update: auto", "[1, 2]", "a: [", "windows: [{start: 25:00, end: 1}]"]
)
def test_what_is_wrong_allows_nothing_and_says_why(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match="nothing is allowed"):
        written(tmp_path, text)


def test_a_missing_file_allows_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="missing"):
        say.read(tmp_path / "customer.yaml")


def test_what_is_denied_is_denied_whatever_is_allowed(tmp_path: Path) -> None:
    mine = written(tmp_path, "commands: {allow: ['read-*', 'get-users'], deny: [read-file]}")
    assert [mine.permits(name) for name in ("read-row", "get-users", "read-file", "drop")] == [True, True, False, False]


def test_the_vendor_can_only_be_stricter(tmp_path: Path) -> None:
    mine = written(tmp_path, "commands: {allow: [read-*]}")
    vendors = say.vendor_say({"agent:updates": "approval", "agent:deny": ["read-file"], "tiny:x": 1})
    assert say.needs_approval(mine, vendors)
    assert not say.permits(mine, vendors, "read-file")
    assert not say.permits(mine, vendors, "drop")
    assert say.permits(mine, vendors, "read-row")
    assert say.needs_approval(written(tmp_path, "updates: approval"), say.VendorSay())
    with pytest.raises(InvalidInput, match="allow"):
        say.vendor_say({"agent:allow": ["*"]})


@pytest.mark.parametrize(
    ("day_and_hour", "is_open"),
    [
        ((7, 21, 59), False),
        ((7, 22, 0), True),
        ((8, 5, 59), True),
        ((8, 6, 0), False),
        ((9, 23, 0), False),
        ((7, 5, 0), False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_starts(
    tmp_path: Path, day_and_hour: tuple[int, int, int], *, is_open: bool
) -> None:
    mine = written(tmp_path, "windows: [{days: [sat], start: '22:00', end: '06:00', timezone: UTC}]")
    day, hour, minute = day_and_hour
    now = datetime(2026, 11, day, hour, minute, tzinfo=UTC)  # the 7th is a Saturday
    assert mine.is_open(now) is is_open


def test_windows_of_both_must_be_open(tmp_path: Path) -> None:
    mine = written(tmp_path, "windows: [{start: 08:00, end: 12:00, timezone: Europe/Berlin}]")
    vendors = say.vendor_say({"agent:windows": [{"start": "10:00", "end": "23:00"}]})
    assert not say.may_begin(mine, vendors, datetime(2026, 1, 5, 8, 0, tzinfo=UTC))
    assert say.may_begin(mine, vendors, datetime(2026, 1, 5, 10, 30, tzinfo=UTC))
    assert not say.may_begin(mine, vendors, datetime(2026, 1, 5, 11, 30, tzinfo=UTC))
