"""Bearer tokens: scoped, bound, ending, revocable, and nowhere stored as they are."""

import asyncio
from pathlib import Path

import pytest
from control.control_plane import Agent, Plane
from sqlalchemy import select

from alien_iac.control import housekeeping
from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import METADATA


async def test_a_token_is_good_until_revoked(plane: Plane) -> None:
    made = await plane.ok("POST", "/auth/tokens", {"name": "ci", "scopes": ["read"]})
    assert "expiresAt" not in made
    await plane.ok("GET", "/deployments", token=made["token"])
    for _ in range(2):
        await plane.ok("DELETE", f"/auth/tokens/{made['id']}")
    assert (await plane.call("GET", "/deployments", token=made["token"])).status_code == 401
    rows = (await plane.ok("GET", "/auth/tokens"))["items"]
    assert [row["revoked"] for row in rows if row["id"] == made["id"]] == [True]
    assert (await plane.call("DELETE", "/auth/tokens/tok_none")).status_code == 404


async def test_a_token_ends(plane: Plane) -> None:
    token = await plane.token("read", ttlSeconds=10)
    await plane.ok("GET", "/deployments", token=token)
    plane.clock.advance(10)
    assert (await plane.call("GET", "/deployments", token=token)).status_code == 401


async def test_the_same_request_again_makes_no_second_token(plane: Plane) -> None:
    headers = {"Idempotency-Key": "once"}
    body = {"name": "ci", "scopes": ["send"]}
    first = await plane.ok("POST", "/auth/tokens", body, headers=headers)
    assert await plane.ok("POST", "/auth/tokens", body, headers=headers) == first
    assert (await plane.call("POST", "/auth/tokens", {**body, "name": "x"}, headers=headers)).status_code == 409
    await plane.ok("GET", "/commands", token=first["token"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"scopes": []}, "scopes is empty"),
        ({"scopes": ["agent"]}, "bought with its key"),
        ({"scopes": ["receive"], "target": "w"}, "need a deploymentId"),
        ({"scopes": ["receive"], "deploymentId": "d"}, "needs a target"),
        ({"scopes": ["send"], "target": "w"}, "needs a target"),
        ({"scopes": ["admin"], "deploymentId": "d"}, "not bound"),
        ({"scopes": ["other"]}, "body.scopes.0"),
        ({"scopes": ["read"], "ttlSeconds": 0}, "body.ttlSeconds"),
    ],
)
async def test_tokens_that_make_no_sense_are_refused(plane: Plane, body: dict[str, object], said: str) -> None:
    answer = await plane.call("POST", "/auth/tokens", {"name": "n", **body})
    assert answer.status_code == 400
    assert said in answer.json()["message"]


async def test_all_problems_are_told_at_once_and_no_value(plane: Plane) -> None:
    answer = await plane.call("POST", "/enrol", {"code": ["s3cret"], "publicKey": 7})
    told = answer.json()
    assert set(told) == {"code", "message", "retryable", "internal", "httpStatusCode"}
    assert all(part in told["message"] for part in ("body.code", "body.publicKey", "body.agentVersion"))
    assert "s3cret" not in answer.text


async def test_no_secret_is_in_the_database_or_the_files(plane: Plane, agent: Agent, tmp_path: Path) -> None:
    token = await plane.token("read")
    code = await plane.ok("POST", "/enrolment-codes", {"customer": "c", "platform": "local"})
    rows = await plane.control.database.read(_rows)
    assert "acme" in rows
    content = rows.encode() + await asyncio.to_thread(_everything, tmp_path)
    for secret in (token, code["code"], agent.token, plane.admin):
        assert secret.encode() not in content


def _rows(transaction: Transaction) -> str:
    return "".join(str(list(transaction.all(select(table)))) for table in METADATA.sorted_tables)


def _everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_last_use_is_noted(plane: Plane) -> None:
    token = await plane.token("read")
    await plane.ok("GET", "/deployments", token=token)
    await housekeeping.prune(plane.control)
    rows = (await plane.ok("GET", "/auth/tokens"))["items"]
    assert any(row["lastUsed"] for row in rows if row["scopes"] == ["read"])


async def test_unknown_paths_and_methods_answer_in_the_same_shape(plane: Plane) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("PATCH", "/deployments", 405)):
        answer = await plane.call(method, path)
        assert answer.status_code == status
        assert {"code", "message", "retryable"} <= set(answer.json())


async def test_every_answer_has_strict_headers(plane: Plane) -> None:
    for answer in (await plane.call("GET", "/deployments"), await plane.call("GET", "/nothing", token="")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_body_that_is_too_large_is_refused(plane: Plane) -> None:
    answer = await plane.call("POST", "/auth/tokens", {"name": "x" * (13 << 20), "scopes": ["read"]})
    assert answer.status_code == 413
    assert answer.json()["code"] == "INVALID_INPUT"
