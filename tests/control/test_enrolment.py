"""An agent's beginning: a code that works once, a key, and short tokens bought with signed assertions."""

import asyncio
import base64
from datetime import timedelta

import pytest
from control.control_plane import Agent, Plane
from control.control_vendor import Json
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NEW = {"customer": "acme", "platform": "local", "labels": {"tier": "gold"}}


def _pem() -> str:
    key = Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


async def test_a_code_enrols_once_even_under_a_race(plane: Plane) -> None:
    code = await plane.ok("POST", "/enrolment-codes", NEW)
    bodies = [{"code": code["code"], "publicKey": _pem(), "agentVersion": "1"} for _ in range(10)]
    answers = await asyncio.gather(*(plane.call("POST", "/enrol", body, token="") for body in bodies))
    good = [answer.json() for answer in answers if answer.is_success]
    assert len(good) == 1
    assert good[0]["deploymentId"] == code["deploymentId"]
    assert (good[0]["customer"], good[0]["platform"]) == ("acme", "local")
    assert base64.b64decode(good[0]["root"])
    assert {answer.status_code for answer in answers if not answer.is_success} == {401}


async def test_a_code_ends(plane: Plane) -> None:
    code = await plane.ok("POST", "/enrolment-codes", {**NEW, "ttlSeconds": 60})
    plane.clock.advance(61)
    body = {"code": code["code"], "publicKey": _pem(), "agentVersion": "1"}
    assert (await plane.call("POST", "/enrol", body, token="")).status_code == 401


async def test_a_code_is_asked_for_again_with_the_same_key(plane: Plane) -> None:
    headers = {"Idempotency-Key": "one"}
    first = await plane.ok("POST", "/enrolment-codes", NEW, headers=headers)
    assert await plane.ok("POST", "/enrolment-codes", NEW, headers=headers) == first
    other = await plane.call("POST", "/enrolment-codes", {**NEW, "customer": "other"}, headers=headers)
    assert other.status_code == 409
    assert len((await plane.ok("GET", "/deployments"))["items"]) == 1


async def test_a_further_code_is_asked_for_again_with_the_same_key(plane: Plane, agent: Agent) -> None:
    path = f"/deployments/{agent.deployment_id}/enrolment-codes"
    headers = {"Idempotency-Key": "one"}
    first = await plane.ok("POST", path, {}, headers=headers)
    assert await plane.ok("POST", path, {}, headers=headers) == first
    assert (await plane.ok("POST", path, {}))["code"] != first["code"]


async def test_only_ed25519_keys_are_taken_and_the_code_stays_good(plane: Plane) -> None:
    code = await plane.ok("POST", "/enrolment-codes", NEW)
    rsa = generate_private_key(65_537, 2_048).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for wrong in ("", "nonsense", rsa.decode()):
        body = {"code": code["code"], "publicKey": wrong, "agentVersion": "1"}
        assert (await plane.call("POST", "/enrol", body, token="")).status_code == 400
    body = {"code": code["code"], "publicKey": _pem(), "agentVersion": "1"}
    assert (await plane.call("POST", "/enrol", body, token="")).status_code == 200


async def test_a_new_code_gives_the_deployment_another_key(plane: Plane, agent: Agent) -> None:
    code = await plane.ok("POST", f"/deployments/{agent.deployment_id}/enrolment-codes", {})
    old, agent.key = agent.key, Ed25519PrivateKey.generate()
    body = {"code": code["code"], "publicKey": agent.public_key, "agentVersion": "2"}
    await plane.ok("POST", "/enrol", body, token="")
    await agent.renew()
    assertion = {"assertion": agent.assertion(key=old)}
    assert (await plane.call("POST", "/token", assertion, token="")).status_code == 401


async def test_a_token_lasts_an_hour(plane: Plane, agent: Agent) -> None:
    assert (await agent.desired())["revision"] == 0
    plane.clock.advance(3_601)
    assert (await plane.call("GET", "/agent/desired", token=agent.token)).status_code == 401
    await agent.renew()
    assert (await agent.desired())["revision"] == 0


async def test_an_assertion_is_good_once(plane: Plane, agent: Agent) -> None:
    body = {"assertion": agent.assertion()}
    answers = await asyncio.gather(*(plane.call("POST", "/token", body, token="") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5


@pytest.mark.parametrize("minutes", [-600, -10, 10, 600])
async def test_an_agent_with_a_wrong_clock_learns_the_time(plane: Plane, agent: Agent, minutes: int) -> None:
    at = plane.clock() + timedelta(minutes=minutes)
    answer = await plane.call("POST", "/token", {"assertion": agent.assertion(at=at)}, token="")
    assert answer.status_code == 401
    assert answer.json()["context"]["serverTime"] == plane.clock().isoformat()


@pytest.mark.parametrize("seconds", [-140, 25])
async def test_a_little_skew_is_tolerated(plane: Plane, agent: Agent, seconds: int) -> None:
    at = plane.clock() + timedelta(seconds=seconds)
    assert (await plane.call("POST", "/token", {"assertion": agent.assertion(at=at)}, token="")).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"sub": "dep_other"},
        {"iss": "dep_other", "sub": "dep_other"},
        {"exp": None},
        {"exp": 9_999_999_999},
        {"iat": "now"},
        {"jti": None},
    ],
)
async def test_wrong_claims_are_refused(plane: Plane, agent: Agent, claims: dict[str, Json]) -> None:
    answer = await plane.call("POST", "/token", {"assertion": agent.assertion(**claims)}, token="")
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


async def test_only_the_agents_own_key_signs(plane: Plane, agent: Agent) -> None:
    forged = [agent.assertion(key=Ed25519PrivateKey.generate()), "a.b.c", "", agent.assertion()[:-8] + "AAAAAAAA"]
    unsigned = "eyJhbGciOiJub25lIn0." + agent.assertion().split(".")[1] + "."
    for assertion in [*forged, unsigned]:
        assert (await plane.call("POST", "/token", {"assertion": assertion}, token="")).status_code == 401


async def test_a_deployment_that_was_let_go_is_out_at_once(plane: Plane, agent: Agent) -> None:
    await plane.ok("DELETE", f"/deployments/{agent.deployment_id}")
    assert (await plane.call("GET", "/agent/desired", token=agent.token)).status_code == 401
    assert (await plane.call("POST", "/token", {"assertion": agent.assertion()}, token="")).status_code == 401
    assert (await plane.ok("GET", f"/deployments/{agent.deployment_id}"))["status"] == "gone"
    assert (await agent.send()).status_code == 400
