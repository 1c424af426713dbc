"""What the page on security promises: every test that it names exists, and every "cannot" names one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_the_test_is_there(file: str, name: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_no_promise_is_without_a_test() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| cannot |")]
    assert len(lines) > 20
    assert not [line for line in lines if "::test_" not in line]
