"""Who may see a page of the dashboard and send a form of it: every route with every kind of visitor.

The table must have every route: one that is added without an entry fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import pytest
from control.control_plane import URL, Agent, Plane

from alien_iac.control import tokens
from alien_iac.control.dashboard import app as dashboard
from alien_iac.control.dashboard import sessions

EVERYONE = frozenset({"nobody", "forged", "logged-out", "revoked", "expired", "read", "read-send", "admin"})
OUTSIDE = EVERYONE - {"read", "read-send", "admin"}
SEE = frozenset({"read", "read-send", "admin"})
SEND = frozenset({"read-send", "admin"})
STEER = frozenset({"admin"})

RULES: Mapping[str, frozenset[str]] = {
    "GET /": SEE,
    "GET /login": EVERYONE,
    "POST /login": EVERYONE,
    "POST /logout": SEE,
    "GET /audit": SEE,
    "GET /releases": SEE,
    "GET /rollouts": SEE,
    "GET /rollouts/{rollout_id}": SEE,
    "GET /rollouts/{rollout_id}/actions/{action}": STEER,
    "POST /rollouts/{rollout_id}/actions/{action}": STEER,
    "GET /deployments/{deployment_id}": SEE,
    "GET /deployments/{deployment_id}/commands": SEE,
    "GET /deployments/{deployment_id}/commands/{command_id}": SEE,
    "GET /deployments/{deployment_id}/invoke": SEND,
    "POST /deployments/{deployment_id}/invoke": SEND,
    "POST /deployments/{deployment_id}/invoke/review": SEND,
    "GET /deployments/{deployment_id}/logs": SEE,
    "GET /deployments/{deployment_id}/metrics": SEE,
    "GET /deployments/{deployment_id}/traces": SEE,
    "GET /deployments/{deployment_id}/traces/{trace_id}": SEE,
}
IN_AND_OUT = {"GET /login", "POST /login", "POST /logout"}


def test_every_route_is_in_the_table(plane: Plane) -> None:
    paths = dashboard.create(plane.control).openapi()["paths"]
    assert set(RULES) == {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


@dataclass(frozen=True)
class Visitor:
    cookie: str
    csrf: str


async def _visitor(plane: Plane, token: str) -> Visitor:
    cookie = await sessions.begin(plane.control, token)
    session = await sessions.current(plane.control, cookie)
    assert session is not None
    return Visitor(cookie, session.csrf)


async def _visitors(plane: Plane) -> dict[str, Visitor]:
    admin = await _visitor(plane, plane.admin)
    found = {
        "nobody": Visitor("", admin.csrf),
        "forged": Visitor(admin.cookie[:-6] + "AAAAAA", admin.csrf),
        "read": await _visitor(plane, await plane.token("read")),
        "read-send": await _visitor(plane, await plane.token("read", "send")),
    }
    gone = await plane.ok("POST", "/auth/tokens", {"name": "gone", "scopes": ["admin"]})
    found["revoked"] = await _visitor(plane, gone["token"])
    await plane.ok("DELETE", f"/auth/tokens/{gone['id']}")
    found["logged-out"] = await _visitor(plane, plane.admin)
    session = await sessions.current(plane.control, found["logged-out"].cookie)
    assert session is not None
    await sessions.end(plane.control, session)
    found["expired"] = await _visitor(plane, plane.admin)
    plane.clock.advance(sessions.LIFE.total_seconds())
    for name in ("read", "read-send"):
        found[name] = await _visitor(plane, await plane.token(*name.split("-")))
    return {**found, "admin": await _visitor(plane, plane.admin)}


async def _send(plane: Plane, route: str, names: Mapping[str, str], visitor: Visitor, csrf: str) -> httpx.Response:
    method, path = route.split(" ", 1)
    for key, value in names.items():
        path = path.replace(key, value)
    form = {"csrf": csrf, "token": "", "reason": "r"} if method == "POST" else None
    transport = httpx.ASGITransport(app=plane.app, raise_app_exceptions=False)
    cookies = {sessions.COOKIE: visitor.cookie} if visitor.cookie else {}
    async with httpx.AsyncClient(transport=transport, base_url=f"{URL}/dashboard", cookies=cookies) as client:
        return await client.request(method, path, data=form)


async def test_a_page_opens_to_these_and_no_others(plane: Plane) -> None:
    agent = await plane.agent()
    await agent.beat("0.9")
    await plane.vendor_release("1.0", 1)
    rollout = await plane.ok("POST", "/rollouts", {"release": "1.0"})
    command = await agent.sent()
    visitors = await _visitors(plane)
    await agent.renew()
    names = {
        "{deployment_id}": agent.deployment_id,
        "{command_id}": command,
        "{rollout_id}": rollout["id"],
        "{action}": "pause",
        "{trace_id}": "0" * 32,
    }
    for route in sorted(RULES.keys() - IN_AND_OUT):
        for kind, visitor in visitors.items():
            answer = await _send(plane, route, names, visitor, visitor.csrf)
            where = f"{route} as {kind}: {answer.status_code}"
            if kind in OUTSIDE:
                assert answer.status_code == 303, where
                assert answer.headers["location"].startswith("/dashboard/login"), where
            elif kind in RULES[route]:
                assert answer.status_code not in {401, 403, 500}, where
                assert not answer.headers.get("location", "").startswith("/dashboard/login"), where
            else:
                assert answer.status_code == 403, where


@pytest.mark.parametrize(
    "route", sorted(route for route in RULES if route.startswith("POST") and route != "POST /login")
)
async def test_a_form_of_another_session_is_refused(plane: Plane, agent: Agent, route: str) -> None:
    mine, other = await _visitor(plane, plane.admin), await _visitor(plane, plane.admin)
    names = {"{deployment_id}": agent.deployment_id, "{rollout_id}": "rol_none", "{action}": "pause"}
    for wrong in ("", "x", other.csrf):
        assert (await _send(plane, route, names, mine, wrong)).status_code == 403
    assert await sessions.current(plane.control, mine.cookie) is not None


async def test_a_token_for_one_deployment_or_without_sight_opens_no_dashboard(plane: Plane, agent: Agent) -> None:
    bound = await plane.token("read", deploymentId=agent.deployment_id)
    for token in (bound, await plane.token("send"), agent.token, "", tokens.mint("admin")):
        answer = await plane.call("POST", f"{URL}/dashboard/login", data={"token": token})
        assert answer.status_code in {401, 403}
        assert "set-cookie" not in answer.headers
