"""Whatever is sent to the routes of `arc.v1`, the answer is no failure of the server's own."""

import asyncio
import base64
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from control.control_plane import WORKER, Agent, Plane, plane_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""Examples of each route: together about a thousand requests."""


class World:
    """A control plane with a deployment, driven from outside its event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, plane: Plane, agent: Agent) -> None:
        self._loop = loop
        self.plane = plane
        self.agent = agent
        self.command = self.run(agent.sent())
        self.lease = self.run(agent.lease(leaseSeconds=3600))[0]

    def run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        token = self.agent.token if "/leases" in path or path.endswith("/response") else self.plane.admin
        answer: httpx.Response = self.run(self.plane.call(method, path, None, token, **more))
        return answer


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with ExitStack() as stack:
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        context = plane_in(folder, rooted=True)
        plane = loop.run_until_complete(context.__aenter__())
        stack.callback(lambda: loop.run_until_complete(context.__aexit__(None, None, None)))
        agent = loop.run_until_complete(plane.agent())
        yield World(loop, plane, agent)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(1 << 70), 1 << 70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["\x00", "\ud800", "é" * 300, "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "a:b", "cmd_"]
    ),
)
ANY = st.recursive(
    ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
TIME = st.datetimes().map(lambda at: at.isoformat() + "Z") | st.sampled_from(
    ["9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00+23:59", "2026-02-30T00:00:00Z", "1e400", "1900000000"]
)
INLINE = st.fixed_dictionaries(
    {
        "mode": st.just("inline"),
        "inlineBase64": st.binary(max_size=40).map(lambda b: base64.b64encode(b).decode()) | ODD,
    }
)
STORED = st.fixed_dictionaries(
    {"mode": st.just("storage")},
    optional={"size": ODD, "storageGetRequest": ANY, "storagePutUsed": ODD},
)
BODY = INLINE | STORED | ANY
SIGNATURE = st.fixed_dictionaries(
    {
        "signer": ODD,
        "nonce": ODD | st.text(min_size=16, max_size=40),
        "expires": ODD | st.integers(0, 1 << 40),
        "value": ODD,
    }
)
RESPONSE = (
    st.fixed_dictionaries({"status": st.just("success"), "response": BODY})
    | st.fixed_dictionaries({"status": st.just("error"), "code": ODD, "message": ODD}, optional={"details": ODD})
    | ANY
)


def create(world: World) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {
            "deploymentId": st.just(world.agent.deployment_id) | ODD,
            "command": st.text(min_size=1, max_size=20) | ODD,
            "params": BODY,
        },
        optional={
            "deadline": TIME | ODD,
            "timeoutSeconds": st.floats(0, 1e9) | ODD,
            "idempotencyKey": st.text(max_size=30) | ODD,
            "targetResourceId": st.just("worker") | ODD,
            "maxAttempts": ODD,
            "priority": st.integers(-200, 200) | ODD,
            "signature": SIGNATURE | ANY,
            "more": ANY,
        },
    )


def lease(world: World) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"deploymentId": st.just(world.agent.deployment_id) | ODD},
        optional={
            "target": st.just(WORKER) | ANY,
            "maxLeases": st.integers(0, 1 << 70) | ODD,
            "leaseSeconds": st.integers(0, 1 << 70) | ODD,
            "full": st.lists(ODD, max_size=4) | ANY,
            "holding": st.lists(st.text(max_size=9), max_size=4) | ANY,
        },
    )


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        told = answer.json()
        assert told["code"]
        assert told["message"]


BODIES = {
    "create": ("POST", "/commands", create),
    "lease": ("POST", "/commands/leases", lease),
    "upload-complete": (
        "POST",
        "/commands/{command}/upload-complete",
        lambda _: st.fixed_dictionaries({"size": ODD}) | ANY,
    ),
    "response": ("PUT", "/commands/{command}/response", lambda _: RESPONSE),
    "payload": (
        "PUT",
        "/commands/{command}/payload",
        lambda _: st.fixed_dictionaries({}, optional={"params": BODY, "response": RESPONSE}) | ANY,
    ),
    "renew": ("POST", "/commands/leases/{lease}/renew", lambda _: st.fixed_dictionaries({"leaseSeconds": ODD}) | ANY),
    "bootstrap": (
        "POST",
        "/commands/bootstrap",
        lambda world: st.fixed_dictionaries(
            {
                "deploymentId": st.just(world.agent.deployment_id) | ODD,
                "role": st.sampled_from(["sender", "receiver"]) | ODD,
            },
            optional={"target": st.just("worker") | ODD},
        ),
    ),
}


@FUZZ
@pytest.mark.parametrize("route", BODIES)
@given(data=st.data())
def test_bodies(world: World, route: str, data: st.DataObject) -> None:
    method, path, strategy = BODIES[route]
    body = data.draw(strategy(world))
    named = path.format(command=world.command, lease=world.lease["leaseId"])
    check(world.ask(method, named, content=encoded(body), headers={"content-type": "application/json"}))


@FUZZ
@given(
    content=st.binary(max_size=60),
    kind=st.sampled_from(["application/json", "text/plain", "", "application/json; charset=utf-16"]),
)
def test_bytes(world: World, content: bytes, kind: str) -> None:
    for path in ("/commands", "/commands/leases"):
        check(world.ask("POST", path, content=content, headers={"content-type": kind}))


@FUZZ
@given(
    name=st.text(min_size=1, max_size=40),
    query=st.dictionaries(
        st.sampled_from(
            [
                "cursor",
                "limit",
                "state",
                "deployment",
                "response_token",
                "expires",
                "lease",
                "attempt",
                "signature",
            ]
        ),
        st.text(max_size=30) | st.integers(-(1 << 70), 1 << 70).map(str) | st.sampled_from(["nan", "-1", "1e309", "0"]),
        max_size=4,
    ),
)
def test_paths_and_queries(world: World, name: str, query: dict[str, str]) -> None:
    quoted = httpx.QueryParams({"x": name})["x"].encode("utf-8", "ignore").hex() if not name.isascii() else name
    for method, path in (
        ("GET", "/commands"),
        ("GET", f"/commands/{quoted}"),
        ("GET", f"/commands/{quoted}/payload"),
        ("POST", f"/commands/{quoted}/cancel"),
        ("GET", f"/blobs/cmd_{quoted}"),
        ("PUT", f"/blobs/cmd_{quoted}"),
        ("POST", f"/commands/leases/{quoted}/release"),
    ):
        try:
            url = httpx.URL(path)
        except httpx.InvalidURL:
            continue
        check(world.ask(method, str(url), params=query))


@FUZZ
@given(
    trace=st.dictionaries(
        st.sampled_from(["traceparent", "tracestate"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=120),
    )
)
def test_headers(world: World, trace: dict[str, str]) -> None:
    body = {"deploymentId": world.agent.deployment_id, "command": "x", "params": {"mode": "inline", "inlineBase64": ""}}
    check(world.ask("POST", "/commands", content=encoded(body), headers={"content-type": "application/json", **trace}))
    found = world.run(world.agent.lease(maxLeases=100))
    for one in found:
        world.run(world.agent.answer(one))


def test_what_is_nested_deeply(world: World) -> None:
    for content in (b"[" * 100_000, b'{"params":' * 50_000):
        check(world.ask("POST", "/commands", content=content, headers={"content-type": "application/json"}))


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()
