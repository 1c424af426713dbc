"""Who may see and send what: every route of the dashboard with every kind of visitor; cookies, forms, origins."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import jwt
import pytest
from control.control_plane import Agent, Plane, plane_in
from control.control_vendor import Json

from alien_iac.control.dashboard.app import create
from alien_iac.control.pacing import FAILURES

URL = "http://control.test"
EVERYBODY = frozenset({"none", "garbage", "forged", "logged-out", "revoked", "over", "read", "read-send", "admin"})
READ = frozenset({"read", "read-send", "admin"})
SEND = frozenset({"read-send", "admin"})
ADMIN = frozenset({"admin"})


@dataclass(frozen=True)
class Rule:
    allowed: frozenset[str]
    form: Mapping[str, str] | None = None


RULES: Mapping[str, Rule] = {
    "GET /login": Rule(EVERYBODY),
    "POST /login": Rule(frozenset(), {"token": "alien_token_wrong"}),
    "POST /logout": Rule(READ, {}),
    "GET /": Rule(READ),
    "GET /deployments/{deployment_id}": Rule(READ),
    "GET /deployments/{deployment_id}/commands": Rule(READ),
    "GET /deployments/{deployment_id}/commands/{command_id}": Rule(READ),
    "GET /deployments/{deployment_id}/invoke": Rule(SEND),
    "POST /deployments/{deployment_id}/invoke/review": Rule(SEND, {"what": "worker:read-file", "params": "{}"}),
    "POST /deployments/{deployment_id}/invoke": Rule(SEND, {"what": "worker:read-file", "params": "{}"}),
    "GET /deployments/{deployment_id}/logs": Rule(READ),
    "GET /deployments/{deployment_id}/metrics": Rule(READ),
    "GET /deployments/{deployment_id}/traces": Rule(READ),
    "GET /deployments/{deployment_id}/traces/{trace_id}": Rule(READ),
    "GET /rollouts": Rule(READ),
    "GET /rollouts/{rollout_id}": Rule(READ),
    "GET /rollouts/{rollout_id}/actions/{action}": Rule(ADMIN),
    "POST /rollouts/{rollout_id}/actions/{action}": Rule(ADMIN, {"reason": "a test"}),
    "GET /releases": Rule(READ),
    "GET /audit": Rule(READ),
}


def test_every_route_is_in_the_table(plane: Plane) -> None:
    paths = create(plane.control).openapi()["paths"]
    assert {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods} == set(RULES)


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with plane_in(tmp_path) as made:
        yield made


@pytest.fixture
async def agent(plane: Plane) -> Agent:
    made = await plane.agent()
    await made.beat("0.9")
    return made


def client(plane: Plane, cookie: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=plane.app, raise_app_exceptions=False)
    headers = {"cookie": f"alien_session={cookie}"} if cookie else {}
    return httpx.AsyncClient(transport=transport, base_url=URL, headers=headers)


async def login(plane: Plane, token: str) -> httpx.Response:
    async with client(plane) as browser:
        return await browser.post("/dashboard/login", data={"token": token})


async def cookie_of(plane: Plane, token: str) -> str:
    answer = await login(plane, token)
    assert answer.status_code == 303, answer.text
    return str(answer.cookies["alien_session"])


async def csrf_of(plane: Plane, cookie: str) -> str:
    async with client(plane, cookie) as browser:
        answer = await browser.get("/dashboard/releases")
    found = re.search(r'name="csrf" value="(\w+)"', answer.text)
    return found[1] if found else "none"


async def _paths(plane: Plane, agent: Agent) -> dict[str, str]:
    await plane.vendor_release("1.0", 1)
    rollout = await plane.ok("POST", "/rollouts", {"release": "1.0"})
    return {
        "{deployment_id}": agent.deployment_id,
        "{command_id}": await agent.sent(),
        "{trace_id}": "0" * 32,
        "{rollout_id}": rollout["id"],
        "{action}": "pause",
    }


async def _cookies(plane: Plane) -> dict[str, str]:
    """A cookie of every kind of visitor."""
    good = await cookie_of(plane, plane.admin)
    left = await cookie_of(plane, plane.admin)
    async with client(plane, left) as browser:
        await browser.post("/dashboard/logout", data={"csrf": await csrf_of(plane, left)})
    made = await plane.ok("POST", "/auth/tokens", {"name": "gone", "scopes": ["admin"]})
    revoked = await cookie_of(plane, made["token"])
    await plane.call("DELETE", f"/auth/tokens/{made['id']}")
    short = await plane.token("admin", ttlSeconds=60)
    over = await cookie_of(plane, short)
    plane.clock.advance(61)
    claims = jwt.decode(good, options={"verify_signature": False})
    return {
        "none": "",
        "garbage": "e30.e30.e30",
        "forged": jwt.encode(claims, "k" * 32, algorithm="HS256"),
        "logged-out": left,
        "revoked": revoked,
        "over": over,
        "read": await cookie_of(plane, await plane.token("read")),
        "read-send": await cookie_of(plane, await plane.token("read", "send")),
        "admin": await cookie_of(plane, plane.admin),
    }


async def test_every_route_opens_to_these_and_no_others(plane: Plane, agent: Agent) -> None:
    names, cookies = await _paths(plane, agent), await _cookies(plane)
    csrf = {kind: await csrf_of(plane, cookie) for kind, cookie in cookies.items()}
    routes = sorted(RULES, key=lambda route: "logout" in route)
    for route in routes:
        method, path = route.split(" ", 1)
        for key, value in names.items():
            path = path.replace(key, value)
        for kind, cookie in cookies.items():
            form = RULES[route].form
            data = None if form is None else {**form, "csrf": csrf[kind]}
            async with client(plane, cookie) as browser:
                answer = await browser.request(method, f"/dashboard{path}", data=data)
            assert _was_let_in(answer) == (kind in RULES[route].allowed), f"{route} {kind}: {answer.status_code}"


def _was_let_in(answer: httpx.Response) -> bool:
    """Whoever is not is sent to the login, or refused. Pausing twice and a trace that is not there are let in."""
    assert answer.status_code < 500, answer.text
    if answer.url.path.endswith("/logout"):
        return "set-cookie" in answer.headers
    sent_away = answer.status_code == 303 and "/login" in answer.headers["location"]
    return not sent_away and answer.status_code not in {401, 403}


@pytest.mark.parametrize("scope", ["send", "agent", "receive", "telemetry", "bound", "session", "wrong"])
async def test_a_token_that_sees_no_fleet_does_not_log_in(plane: Plane, agent: Agent, scope: str) -> None:
    mine = {"deploymentId": agent.deployment_id}
    cookie = await cookie_of(plane, plane.admin)
    token = {
        "send": lambda: plane.token("send"),
        "receive": lambda: plane.token("receive", target="worker", **mine),
        "telemetry": lambda: plane.token("telemetry", **mine),
        "bound": lambda: plane.token("read", **mine),
    }
    secrets = {
        "agent": agent.token,
        "session": str(jwt.decode(cookie, options={"verify_signature": False})["jti"]),
        "wrong": "alien_token_wrong",
    }
    answer = await login(plane, secrets[scope] if scope in secrets else await token[scope]())
    assert answer.status_code in {401, 403}
    assert "set-cookie" not in answer.headers
    assert "alien_token_wrong" not in answer.text


async def test_a_sessions_secret_opens_nothing_of_the_api(plane: Plane) -> None:
    cookie = await cookie_of(plane, plane.admin)
    secret = str(jwt.decode(cookie, options={"verify_signature": False})["jti"])
    for path in ("/deployments", "/audit", "/auth/tokens", "/commands"):
        assert (await plane.call("GET", path, token=secret)).status_code == 403


async def test_the_cookie_is_for_this_site_and_not_for_scripts(plane: Plane) -> None:
    said = (await login(plane, plane.admin)).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/dashboard", "Max-Age=28800"} <= set(said.split("; "))
    assert "Secure" not in said
    assert plane.admin not in said


async def test_the_cookie_is_secure_where_the_site_is(plane: Plane) -> None:
    transport = httpx.ASGITransport(app=plane.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://control.test") as browser:
        answer = await browser.post("/dashboard/login", data={"token": plane.admin})
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
async def test_a_form_of_another_site_is_refused(plane: Plane, agent: Agent, headers: dict[str, str]) -> None:
    del agent
    cookie = await cookie_of(plane, plane.admin)
    csrf = await csrf_of(plane, cookie)
    async with client(plane, cookie) as browser:
        for path, form in (("logout", {"csrf": csrf}), ("login", {"token": plane.admin})):
            answer = await browser.post(f"/dashboard/{path}", data=form, headers=headers)
            assert answer.status_code == 403
        assert (await browser.get("/dashboard/")).status_code == 200


async def test_a_form_needs_the_token_of_its_own_session(plane: Plane, agent: Agent) -> None:
    names = await _paths(plane, agent)
    mine, other = await cookie_of(plane, plane.admin), await cookie_of(plane, plane.admin)
    path = f"/dashboard/rollouts/{names['{rollout_id}']}/actions/pause"
    async with client(plane, mine) as browser:
        for csrf in ("", "wrong", "ü", await csrf_of(plane, other)):
            assert (await browser.post(path, data={"csrf": csrf})).status_code == 403
        assert (await browser.post(path, data={"csrf": await csrf_of(plane, mine)})).status_code == 303
    found = await plane.ok("GET", f"/rollouts/{names['{rollout_id}']}")
    assert found["state"] == "paused"


@pytest.mark.parametrize("wanted", ["//evil.test", "https://evil.test", "/\\evil.test", "evil", "/\nx", ""])
async def test_the_login_leads_nowhere_else(plane: Plane, wanted: str) -> None:
    async with client(plane) as browser:
        answer = await browser.post("/dashboard/login", data={"token": plane.admin, "next": wanted})
    assert answer.headers["location"] == "/dashboard/"


async def test_the_login_leads_to_where_one_wanted_to_go(plane: Plane) -> None:
    async with client(plane) as browser:
        asked = await browser.get("/dashboard/audit?verify=true")
        assert asked.headers["location"] == "/dashboard/login?next=%2Faudit%3Fverify%3Dtrue"
        answer = await browser.post("/dashboard/login", data={"token": plane.admin, "next": "/audit?verify=true"})
    assert answer.headers["location"] == "/dashboard/audit?verify=true"


async def test_a_session_ends_after_eight_hours(plane: Plane) -> None:
    cookie = await cookie_of(plane, plane.admin)
    plane.clock.advance(8 * 3600 - 1)
    async with client(plane, cookie) as browser:
        assert (await browser.get("/dashboard/")).status_code == 200
        plane.clock.advance(2)
        assert (await browser.get("/dashboard/")).status_code == 303


async def test_logging_in_and_out_is_in_the_audit_log(plane: Plane) -> None:
    cookie = await cookie_of(plane, plane.admin)
    async with client(plane, cookie) as browser:
        answer = await browser.post("/dashboard/logout", data={"csrf": await csrf_of(plane, cookie)})
    assert 'alien_session=""' in answer.headers["set-cookie"]
    actions = [each["action"] for each in (await plane.ok("GET", "/audit"))["items"]]
    assert actions[:2] == ["session.end", "session.begin"]


def _answers(responses: Mapping[str, httpx.Response]) -> Iterator[tuple[str, httpx.Headers]]:
    for name, answer in responses.items():
        yield name, answer.headers


async def test_every_answer_has_strict_headers(plane: Plane) -> None:
    cookie = await cookie_of(plane, plane.admin)
    async with client(plane, cookie) as browser:
        paths = ("/", "/login", "/nope", "/deployments/nobody", "/?page=x", "/static/app.css", "/static/nope")
        answers = {path: await browser.get(f"/dashboard{path}") for path in paths}
    for path, headers in _answers(answers):
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        if "static/app" not in path and path != "/login":
            assert headers["cache-control"] == "no-store", path


async def test_what_cannot_be_read_is_refused_in_words(plane: Plane, agent: Agent) -> None:
    cookie = await cookie_of(plane, plane.admin)
    csrf = await csrf_of(plane, cookie)
    base = f"/dashboard/deployments/{agent.deployment_id}/invoke/review"
    cases: Json = [
        ({"what": "worker:read-file", "params": "{"}, "The parameters are not JSON"),
        ({"what": "worker:read-file", "params": "[]"}, "The parameters must be a JSON object"),
        ({"what": "", "params": "{}"}, "No command is chosen"),
        ({"what": "worker:read-file", "params": '{"a":"\0"}'}, "NUL"),
    ]
    async with client(plane, cookie) as browser:
        for form, said in cases:
            answer = await browser.post(base, data={**form, "csrf": csrf})
            assert answer.status_code == 400
            assert said in answer.text
        assert (await browser.get("/dashboard/?page=0")).status_code == 400
        assert (await browser.get("/dashboard/?q=%00")).status_code == 400
        assert (await browser.get("/dashboard/audit?cursor=x")).status_code == 400
        assert (await browser.get("/dashboard/rollouts/x/actions/burn")).status_code == 400


async def test_wrong_tokens_are_counted_and_then_refused(plane: Plane) -> None:
    for _ in range(FAILURES.burst):
        assert (await login(plane, "alien_token_wrong")).status_code == 401
    answer = await login(plane, plane.admin)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Too Many Requests" in answer.text
