"""Who may do what: every route of the app with every kind of token, for its own deployment and for a foreign one.

The table must have every route: one that is added without an entry fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from control.control_plane import WORKER, Agent, Plane, inline, plane_in
from control.control_vendor import Json

from alien_iac.control import tokens
from alien_iac.control.app import create_app
from alien_iac.control.dashboard import sessions
from alien_iac.control.store import tokens as store
from alien_iac.control.store.engine import Transaction
from alien_iac.protocol.api import NewToken

KINDS = [
    "none",
    "wrong",
    "expired",
    "revoked",
    "session",
    "agent",
    "agent-foreign",
    "receive",
    "receive-foreign",
    "telemetry",
    "send",
    "send-own",
    "send-foreign",
    "read",
    "read-own",
    "read-foreign",
    "admin",
]
BAD = frozenset({"none", "wrong", "expired", "revoked"})
PUBLIC = frozenset(KINDS)
ADMIN = frozenset({"admin"})
READ = frozenset({"read", "admin"})
SEND = frozenset({"send", "send-own", "admin"})
FOLLOW = SEND | {"read", "read-own", "agent"}
SHOW = READ | {"read-own", "agent"}
LEASE = frozenset({"agent", "receive", "admin"})
ANY_READER = SHOW | {"agent-foreign", "read-foreign"}
ANY_FOLLOWER = FOLLOW | {"send-foreign", "read-foreign", "agent-foreign"}
TELEMETRY = frozenset({"agent", "agent-foreign", "telemetry"})
LOOK = READ | {"read-own", "read-foreign"}
AGENTS = frozenset({"agent", "agent-foreign"})


@dataclass(frozen=True)
class World:
    """What the paths and bodies of the table name."""

    deployment: str
    command: str
    lease: str
    blob: str
    config: str


Body = Callable[[World], Json]


@dataclass(frozen=True)
class Rule:
    allowed: frozenset[str]
    body: Body = lambda _world: None


def _create(world: World) -> Json:
    return {"deploymentId": world.deployment, "command": "x", "params": inline(1)}


RULES: Mapping[str, Rule] = {
    "GET /healthz": Rule(PUBLIC),
    "GET /health/live": Rule(PUBLIC),
    "GET /health/ready": Rule(PUBLIC),
    "GET /metrics": Rule(READ),
    "GET /v1/agent/desired": Rule(AGENTS),
    "POST /v1/agent/reports": Rule(AGENTS, lambda _: {"id": "r", "revision": 0, "phase": "accepted"}),
    "POST /v1/agent/heartbeats": Rule(AGENTS, lambda _: {"agentVersion": "1", "health": "healthy"}),
    "GET /v1/audit": Rule(READ),
    "GET /v1/audit/verify": Rule(READ),
    "POST /v1/auth/tokens": Rule(ADMIN, lambda _: {"name": "n", "scopes": ["read"]}),
    "GET /v1/auth/tokens": Rule(ADMIN),
    "DELETE /v1/auth/tokens/{token_id}": Rule(ADMIN),
    "PUT /v1/blobs/{sha256}": Rule(ADMIN),
    "HEAD /v1/blobs/{sha256}": Rule(ADMIN),
    "POST /v1/commands": Rule(SEND, _create),
    "GET /v1/commands": Rule(ANY_FOLLOWER),
    "GET /v1/commands/{command_id}": Rule(FOLLOW),
    "GET /v1/commands/{command_id}/payload": Rule(FOLLOW),
    "POST /v1/commands/{command_id}/cancel": Rule(SEND),
    "POST /v1/commands/{command_id}/upload-complete": Rule(SEND, lambda _: {"size": 0}),
    "PUT /v1/commands/{command_id}/response": Rule(LEASE, lambda _: {"status": "error", "code": "X", "message": ""}),
    "POST /v1/commands/leases": Rule(
        LEASE, lambda world: {"deploymentId": world.deployment, "target": WORKER, "leaseSeconds": 1}
    ),
    "POST /v1/commands/leases/{lease_id}/release": Rule(LEASE),
    "POST /v1/commands/leases/{lease_id}/renew": Rule(LEASE, lambda _: {"leaseSeconds": 3600}),
    "PUT /v1/commands/{command_id}/payload": Rule(ADMIN, lambda _: {}),
    "POST /v1/commands/bootstrap": Rule(SEND, lambda world: {"deploymentId": world.deployment, "role": "sender"}),
    "PUT /v1/blobs/cmd_{name}": Rule(frozenset()),
    "GET /v1/blobs/cmd_{name}": Rule(frozenset()),
    "GET /v1/deployments": Rule(ANY_READER),
    "GET /v1/deployments/{deployment_id}": Rule(SHOW),
    "DELETE /v1/deployments/{deployment_id}": Rule(ADMIN),
    "PUT /v1/deployments/{deployment_id}/pin": Rule(ADMIN, lambda _: {"release": None}),
    "PUT /v1/deployments/{deployment_id}/config": Rule(ADMIN, lambda world: {"target": world.config}),
    "POST /v1/deployments/{deployment_id}/enrolment-codes": Rule(ADMIN, lambda _: {}),
    "POST /v1/enrolment-codes": Rule(ADMIN, lambda _: {"customer": "c", "platform": "local"}),
    "POST /v1/releases": Rule(ADMIN, lambda _: {"manifest": "m", "targetsMetadata": ""}),
    "GET /v1/releases": Rule(READ),
    "GET /v1/releases/{version}": Rule(READ),
    "POST /v1/rollouts": Rule(ADMIN, lambda _: {"release": "1.0"}),
    "GET /v1/rollouts": Rule(READ),
    "GET /v1/rollouts/{rollout_id}": Rule(READ),
    "POST /v1/rollouts/{rollout_id}/actions": Rule(ADMIN, lambda _: {"action": "pause"}),
    "GET /v1/tuf/online-keys": Rule(READ),
    "PUT /v1/tuf/root": Rule(ADMIN, lambda _: {"metadata": ""}),
    "PUT /v1/tuf/targets": Rule(ADMIN, lambda _: {"metadata": ""}),
    "GET /v1/tuf/metadata/{name}": Rule(ANY_READER),
    "GET /v1/tuf/targets/{path:path}": Rule(SHOW),
    "POST /v1/logs": Rule(TELEMETRY),
    "POST /v1/metrics": Rule(TELEMETRY),
    "POST /v1/traces": Rule(TELEMETRY),
    "GET /v1/telemetry/logs": Rule(LOOK),
    "GET /v1/telemetry/logs/follow": Rule(LOOK),
    "GET /v1/telemetry/metrics": Rule(LOOK),
    "GET /v1/telemetry/state": Rule(READ),
    "GET /v1/telemetry/traces": Rule(LOOK),
    "GET /v1/telemetry/traces/{trace_id}": Rule(LOOK),
    # Whoever has the code, or the key, which the requests of this table have not.
    "POST /v1/enrol": Rule(frozenset(), lambda _: {"code": "x", "publicKey": "y", "agentVersion": "1"}),
    "POST /v1/token": Rule(frozenset(), lambda _: {"assertion": "x"}),
}

OWN_CREDENTIALS = {"POST /v1/enrol", "POST /v1/token", "PUT /v1/blobs/cmd_{name}", "GET /v1/blobs/cmd_{name}"}


async def test_every_route_is_in_the_table(plane: Plane) -> None:
    paths = create_app(plane.control).openapi()["paths"]
    listed = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert {key.replace(":path}", "}") for key in RULES} == listed


async def _expired(plane: Plane) -> str:
    """A token that was an admin's, and is over."""
    new = NewToken(name="over", scopes=("admin",), ttl_seconds=60)
    token = tokens.mint("admin")
    past = plane.clock() - timedelta(seconds=61)

    def work(transaction: Transaction) -> None:
        store.add(replace(transaction, now=past), new, tokens.fresh("tok"), token)

    await plane.control.database.write(work)
    return token


async def _revoked(plane: Plane) -> str:
    made = await plane.ok("POST", "/auth/tokens", {"name": "gone", "scopes": ["admin"]})
    await plane.ok("GET", "/deployments", token=made["token"])
    await plane.ok("DELETE", f"/auth/tokens/{made['id']}")
    return str(made["token"])


async def _session(plane: Plane) -> str:
    """What an admin's browser has: it opens the dashboard, and as a token it opens nothing."""
    return str(jwt.decode(await sessions.begin(plane.control, plane.admin), options={"verify_signature": False})["jti"])


async def _tokens(plane: Plane, mine: Agent, other: Agent) -> dict[str, str]:
    async def bound(scope: str, agent: Agent, **more: str) -> str:
        return await plane.token(scope, deploymentId=agent.deployment_id, **more)

    return {
        "none": "",
        "wrong": "alien_token_wrong",
        "expired": await _expired(plane),
        "revoked": await _revoked(plane),
        "session": await _session(plane),
        "agent": mine.token,
        "agent-foreign": other.token,
        "receive": await bound("receive", mine, target="worker"),
        "receive-foreign": await bound("receive", other, target="worker"),
        "telemetry": await bound("telemetry", mine),
        "send": await plane.token("send"),
        "send-own": await bound("send", mine),
        "send-foreign": await bound("send", other),
        "read": await plane.token("read"),
        "read-own": await bound("read", mine),
        "read-foreign": await bound("read", other),
        "admin": plane.admin,
    }


async def _world(plane: Plane, mine: Agent) -> tuple[World, dict[str, str]]:
    config = f"deployments/{mine.deployment_id}/config-1.json"
    file = plane.vendor.put(config, b"{}")
    await plane.vendor_release("1.0", 1)
    command = await mine.sent()
    (lease,) = await mine.lease(leaseSeconds=3600)
    rollout = await plane.ok("POST", "/rollouts", {"release": "1.0"})
    token = (await plane.ok("GET", "/auth/tokens"))["items"][0]
    world = World(
        deployment=mine.deployment_id, command=command, lease=lease["leaseId"], blob=file["sha256"], config=config
    )
    return world, {
        "{deployment_id}": world.deployment,
        "{command_id}": command,
        "{lease_id}": world.lease,
        "{sha256}": world.blob,
        "{version}": "1.0",
        "{rollout_id}": rollout["id"],
        "{trace_id}": "0" * 32,
        "{token_id}": token["id"],
        "{path:path}": f"deployments/{mine.deployment_id}/{world.blob}.config-1.json",
        "{name}": "timestamp.json",
    }


@pytest.mark.parametrize("route", sorted(RULES))
async def test_a_route_opens_to_these_and_no_others(tmp_path: Path, route: str) -> None:
    rule = RULES[route]
    method, path = route.split(" ", 1)
    async with plane_in(tmp_path) as plane:
        mine, other = await plane.agent("mine"), await plane.agent("other")
        await mine.beat("0.9")
        world, names = await _world(plane, mine)
        for key, value in names.items():
            path = path.replace(key, value)
        kinds = await _tokens(plane, mine, other)
        denied = {kind: token for kind, token in kinds.items() if kind not in rule.allowed}
        query = {"expires": 9_999_999_999, "signature": "0" * 64} if "/blobs/cmd_" in path else {}
        for kind, token in denied.items():
            answer = await plane.call(method, f"{_host()}{path}", rule.body(world), token, params=query)
            assert answer.status_code in _refusals(route, kind), f"{kind}: {answer.status_code} {answer.text}"
        for kind in sorted(rule.allowed, key=lambda kind: (kind == "admin", kind)):
            answer = await plane.call(method, f"{_host()}{path}", rule.body(world), kinds[kind], params=query)
            assert answer.status_code not in {401, 403, 500}, f"{kind}: {answer.status_code} {answer.text}"


def _host() -> str:
    return "http://control.test"


def _refusals(route: str, kind: str) -> set[int]:
    if kind in BAD:
        return {400, 401} if route in OWN_CREDENTIALS else {401}
    return {400, 401, 403, 404} if route in OWN_CREDENTIALS else {403, 404}


async def test_lists_show_a_bound_token_its_own_deployment_only(plane: Plane) -> None:
    mine, other = await plane.agent("mine"), await plane.agent("other")
    await mine.sent()
    await other.sent()
    for scope in ("read", "send"):
        token = await plane.token(scope, deploymentId=mine.deployment_id)
        found = await plane.ok("GET", "/commands", token=token)
        assert {item["deploymentId"] for item in found["items"]} == {mine.deployment_id}
    token = await plane.token("read", deploymentId=mine.deployment_id)
    assert [item["customer"] for item in (await plane.ok("GET", "/deployments", token=token))["items"]] == ["mine"]


async def test_a_receiver_leases_for_its_own_target_only(plane: Plane, agent: Agent) -> None:
    token = await plane.token("receive", deploymentId=agent.deployment_id, target="worker")
    body = {"deploymentId": agent.deployment_id, "target": {"resourceId": "api", "resourceType": "container"}}
    assert (await plane.call("POST", "/commands/leases", body, token)).status_code == 403


async def test_a_vendors_receiver_may_not_be_without_a_target(plane: Plane, agent: Agent) -> None:
    body = {"deploymentId": agent.deployment_id}
    for token in (await plane.token("send"), await plane.token("read")):
        assert (await plane.call("POST", "/commands/leases", body, token)).status_code == 403
