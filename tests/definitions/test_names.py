import pytest
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.models.names import MAX_ID, is_id, is_prefix, physical_name

WORD = st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True)
IDS = st.lists(WORD, min_size=1, max_size=5).map("-".join)
PREFIXES = st.lists(WORD, min_size=1, max_size=3).map(lambda words: "a" + "-".join(words))


@pytest.mark.parametrize("text", ["a", "7", "files", "read-file", "a-b-c", "x" * MAX_ID])
def test_ids(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "-a", "a-", "a--b", "A", "a_b", "a b", "ä", "a.b", "a\n"])
def test_what_is_no_id(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize(("text", "right"), [("abc", True), ("a" * 40, True), ("ab", False), ("a" * 41, False)])
def test_a_prefix_has_three_to_forty_characters(text: str, right: bool) -> None:  # noqa: FBT001
    assert is_prefix(text) is right


@pytest.mark.parametrize("text", ["1abc", "abc-", "a--bc", "Abc", "abc\n"])
def test_what_is_no_prefix(text: str) -> None:
    assert not is_prefix(text)


def test_a_name_that_fits_is_prefix_and_id() -> None:
    assert physical_name("acme-x1y2z3", "files", limit=63) == "acme-x1y2z3-files"


def test_shortened_names_are_public_and_do_not_change() -> None:
    assert physical_name("acme-x1y2z3", "a-rather-long-id-for-a-bucket", limit=24) == "acme-x1y2z3-a-r-56de92ea"
    assert physical_name("acme-x1y2z3", "a-b", limit=24, separator="") == "acmex1y2z3abc790d118"


@given(PREFIXES, IDS, st.sampled_from([24, 30, 63, 64]), st.sampled_from(["-", ""]))
def test_a_name_keeps_to_its_limit_and_its_letters(prefix: str, resource_id: str, limit: int, separator: str) -> None:
    name = physical_name(prefix, resource_id, limit=limit, separator=separator)
    assert len(name) <= limit
    assert separator or "-" not in name
    assert name == physical_name(prefix, resource_id, limit=limit, separator=separator)


@given(PREFIXES, IDS, IDS, st.sampled_from([24, 63]), st.sampled_from(["-", ""]))
def test_two_ids_never_meet_in_one_name(prefix: str, one: str, other: str, limit: int, separator: str) -> None:
    names = {physical_name(prefix, i, limit=limit, separator=separator) for i in (one, other)}
    assert len(names) == len({one, other})
