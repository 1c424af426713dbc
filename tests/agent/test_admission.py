"""Which verified releases may run here."""

import pytest
from agent.agent_releases import IDENTITY, config, release
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.agent import admission
from alien_iac.agent.admission import Standing
from alien_iac.agent.release import Release
from alien_iac.errors import Untrusted


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (release(platforms=("aws", "gcp")), "is for aws, gcp, not local"),
        (release(min_agent="99.0"), r"needs an agent 99\.0"),
        (release(config=config(1, "dep_2")), "config is that of the deployment dep_2"),
    ],
)
def test_a_release_for_somebody_else_is_refused(wrong: Release, why: str) -> None:
    with pytest.raises(Untrusted, match=why):
        admission.check_release(wrong, IDENTITY, "0.1.0")
    admission.check_release(release(config=config(1)), IDENTITY, "0.1.0")


def test_vendor_and_program_are_those_of_the_first_release() -> None:
    standing = admission.raised(Standing(), release())
    for other in (release(vendor="umbrella"), release(program="other")):
        with pytest.raises(Untrusted, match="not initech's tiny"):
            admission.raised(standing, other)
    with pytest.raises(Untrusted, match="not initech's directory"):
        admission.raised(Standing(), release(), enrolled_for="directory")


def test_an_older_config_is_refused() -> None:
    standing = admission.raised(Standing(), release(config=config(4)))
    with pytest.raises(Untrusted, match="serial 3, older than 4"):
        admission.raised(standing, release(config=config(3)))


def test_below_the_current_sequence_only_the_last_healthy_one_comes_back() -> None:
    v1, v2, v3 = release(1), release(2), release(3)
    standing = admission.raised(Standing(), v3)
    admission.check_sequence(v2, standing, current=v3, previous=v2)
    admission.check_sequence(v3, standing, current=v3, previous=v2)
    for earlier in (None, v2):
        with pytest.raises(Untrusted, match=r"is older than 3\.0"):
            admission.check_sequence(v1, standing, current=v3, previous=earlier)


def test_a_newer_signed_release_may_name_the_way_back() -> None:
    v3 = release(3, returns_to=(1,))
    standing = admission.raised(Standing(), v3)
    admission.check_sequence(release(1), standing, current=v3, previous=None)
    with pytest.raises(Untrusted):
        admission.check_sequence(release(2), standing, current=v3, previous=None)


def test_a_recalled_release_is_refused_even_as_the_last_healthy_one() -> None:
    v1, v3 = release(1), release(3, minimum_sequence=2)
    standing = admission.raised(Standing(), v3)
    with pytest.raises(Untrusted, match="recalled"):
        admission.check_sequence(v1, standing, current=v3, previous=v1)
    assert admission.may_return(v1, standing) is None
    assert admission.may_return(v3, standing) == v3


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)), max_size=20))
def test_what_was_seen_is_never_forgotten(seen: list[tuple[int, int, int]]) -> None:
    standing = Standing()
    for sequence, minimum, serial in seen:
        before = standing
        one = release(sequence, config(max(serial, before.config_serial)), minimum_sequence=minimum)
        standing = admission.raised(before, one)
        assert standing.highest >= before.highest
        assert standing.minimum >= before.minimum
        assert standing.config_serial >= before.config_serial
