"""The agent's side of the conversation with the control plane."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from agent.agent_control import DEPLOYMENT, URL, ControlPlane

from alien_iac import errors
from alien_iac.agent import answers, backoff
from alien_iac.agent.backoff import Backoff
from alien_iac.agent.client import Control, Credentials
from alien_iac.protocol import arc
from alien_iac.protocol.api import Heartbeat


@pytest.fixture
def plane() -> ControlPlane:
    return ControlPlane()


@pytest.fixture
async def control(plane: ControlPlane) -> AsyncIterator[Control]:
    control = Control(URL, Credentials(DEPLOYMENT, plane.private_key), transport=plane.transport())
    yield control
    await control.close()


async def test_one_token_serves_many_calls(plane: ControlPlane, control: Control) -> None:
    for _ in range(3):
        await control.desired(after=-1)
    assert plane.tokens == 1
    assert control.last_contact == pytest.approx(time.monotonic(), abs=5)


async def test_a_revoked_token_is_replaced_once(plane: ControlPlane, control: Control) -> None:
    await control.desired(after=-1)
    plane.good_tokens.clear()
    await control.heartbeat(Heartbeat(agent_version="1", health="healthy"))
    assert plane.tokens == 2


@pytest.mark.parametrize("wrong", [timedelta(minutes=10), timedelta(minutes=-10), timedelta(days=3)])
async def test_a_clock_that_is_wrong_is_learnt_from_the_answers(
    plane: ControlPlane, control: Control, wrong: timedelta
) -> None:
    plane.ahead = wrong
    await control.desired(after=-1)
    assert control.now() == pytest.approx(plane.now().timestamp(), abs=2)
    await control.desired(after=-1)
    assert plane.tokens == 1


async def test_a_key_that_is_not_known_is_unauthorized_and_shows_nothing(plane: ControlPlane) -> None:
    credentials = Credentials(DEPLOYMENT, ControlPlane().private_key)
    control = Control(URL, credentials, transport=plane.transport())
    with pytest.raises(errors.Unauthorized):
        await control.desired(after=-1)
    assert "PRIVATE" not in repr(credentials)
    await control.close()


async def test_a_control_plane_that_is_down_is_unavailable_and_then_well_again(
    plane: ControlPlane, control: Control
) -> None:
    plane.down = True
    with pytest.raises(errors.Unavailable, match="does not answer"):
        await control.desired(after=-1)
    plane.down = False
    assert (await control.desired(after=-1)).revision == 0


async def test_results_and_large_bodies_go_to_the_one_host_alone(control: Control) -> None:
    with pytest.raises(errors.Unavailable, match="another server"):
        await control.respond("https://elsewhere.example/x", arc.Failure(code="X", message="x"))


@pytest.mark.parametrize("url", ["http://control.example", "ftp://x", "control.example", "http://10.0.0.1"])
def test_only_tls_leaves_this_machine(url: str) -> None:
    with pytest.raises(errors.InvalidInput, match="https"):
        answers.checked_url(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://localhost:1", "https://control.example"])
def test_loopback_may_go_without(url: str) -> None:
    assert answers.checked_url(url) == url.rstrip("/")


def test_pauses_grow_to_a_limit_and_are_spread() -> None:
    pauses = [Backoff(first_s=1, most_s=30).pause(n, dice=lambda: 1.0) for n in range(1, 8)]
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert Backoff(first_s=1).pause(3, dice=lambda: 0.0) == 2


async def test_a_loop_goes_on_after_errors_of_ours_and_ends_at_a_mistake() -> None:
    seen: list[int] = []

    async def once() -> None:
        seen.append(1)
        if len(seen) < 4:
            raise errors.Unavailable("no")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await backoff.keep_on("trying", once, Backoff(first_s=0.001))
    assert len(seen) == 4
