"""Telemetry at the control plane: stamped, at the customer's level, kept, shown, forwarded."""

import asyncio
import gzip
import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from control.control_plane import Agent, Plane, plane_in
from control.control_process import Process
from otlp.otlp_samples import SECRET, TRACE, made
from runtime.runtime_workload import eventually

from alien_iac.control import forwarding, housekeeping
from alien_iac.control.app import create_app
from alien_iac.control.forwarding import Forwarder, Target
from alien_iac.control.store import telemetry as store
from alien_iac.errors import InvalidInput
from alien_iac.protocol.telemetry import otlp
from alien_iac.protocol.telemetry.levels import LEVELS, SIGNALS, Level, Signal, carries

RECEIVER = Path(__file__).parent / "otlp_receiver.py"


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with plane_in(tmp_path) as made_plane:
        yield made_plane


@pytest.fixture
async def agent(plane: Plane) -> Agent:
    return await plane.agent()


async def beat(agent: Agent, level: Level | None, release: str = "1.0") -> None:
    body = {"agentVersion": "0.1.0", "release": release, "health": "healthy", "telemetry": level}
    await agent.plane.ok("POST", "/agent/heartbeats", body, agent.token)


async def send(plane: Plane, token: str, signal: Signal, body: bytes | None = None, **headers: Any) -> httpx.Response:
    given = {"content-type": otlp.PROTOBUF, **{key.replace("_", "-"): value for key, value in headers.items()}}
    content = otlp.written(made(signal)) if body is None else body
    return await plane.call("POST", f"/{signal}", token=token, content=content, headers=given)


async def shown(plane: Plane, what: str, **query: Any) -> list[dict[str, Any]]:
    return list((await plane.ok("GET", f"/telemetry/{what}", params=query))["items"])


async def test_it_is_stamped_with_the_callers_deployment_whatever_it_claims(plane: Plane, agent: Agent) -> None:
    other = await plane.agent("other")
    await beat(agent, "events")
    body = otlp.written(made("logs", other.deployment_id))
    assert (await send(plane, agent.token, "logs", body)).is_success
    (first, _) = await shown(plane, "logs")
    assert (first["deploymentId"], first["customer"], first["release"]) == (agent.deployment_id, "acme", "1.0")
    assert await shown(plane, "logs", deployment=other.deployment_id) == []


@pytest.mark.parametrize("level", LEVELS)
async def test_the_customers_level_holds_here_too(plane: Plane, agent: Agent, level: Level) -> None:
    await beat(agent, level)
    for signal in SIGNALS:
        answer = await send(plane, agent.token, signal)
        assert answer.is_success
        assert answer.headers["alien-telemetry-level"] == level
        assert bool(await shown(plane, signal)) is carries(level, signal)
    if level != "full":
        assert SECRET not in stored(plane)


async def test_an_agent_that_says_no_level_means_events(plane: Plane, agent: Agent) -> None:
    await beat(agent, None)
    assert (await send(plane, agent.token, "logs")).headers["alien-telemetry-level"] == "events"
    token = await plane.token("telemetry", deploymentId=agent.deployment_id)
    assert (await send(plane, token, "traces")).is_success
    assert SECRET not in stored(plane)


def stored(plane: Plane) -> str:
    """All that the database holds of it."""
    queries = [store.Query(signal=signal).rows() for signal in SIGNALS]
    found = plane.control.database.read_now(lambda t: [row for query in queries for row in t.all(query)])
    return json.dumps([dict(row) for row in found], default=str)


async def test_an_admin_sends_none(plane: Plane) -> None:
    assert (await send(plane, plane.admin, "logs")).status_code == 403


async def test_a_batch_that_is_sent_again_is_taken_once(plane: Plane, agent: Agent) -> None:
    for _ in range(3):
        assert (await send(plane, agent.token, "logs", alien_batch="b1")).is_success
    assert len(await shown(plane, "logs")) == 2
    other = await plane.agent("other")
    assert (await send(plane, other.token, "logs", alien_batch="b1")).is_success
    assert len(await shown(plane, "logs")) == 4


async def test_json_and_gzip_are_taken_and_what_is_neither_is_told(plane: Plane, agent: Agent) -> None:
    record = {"traceId": TRACE.hex(), "spanId": TRACE[:8].hex(), "severityNumber": 13}
    told = {"resourceLogs": [{"scopeLogs": [{"scope": {"name": "a"}, "logRecords": [record]}]}]}
    body = gzip.compress(json.dumps(told).encode())
    answer = await send(plane, agent.token, "logs", body, content_type="application/json", content_encoding="gzip")
    assert (answer.status_code, answer.json()) == (200, {})
    assert (await shown(plane, "logs"))[0]["traceId"] == TRACE.hex()
    wrong: tuple[dict[str, Any], ...] = ({"content_type": "text/plain"}, {"content_encoding": "br"})
    for headers in wrong:
        assert (await send(plane, agent.token, "logs", **headers)).status_code == 400
    bomb = gzip.compress(bytes(64 << 20))
    assert (await send(plane, agent.token, "logs", bomb, content_encoding="gzip")).status_code == 413
    assert (await send(plane, agent.token, "logs", bytes(5 << 20))).status_code == 413


async def test_broken_items_are_refused_by_count(plane: Plane, agent: Agent) -> None:
    request = made("traces")
    request.resource_spans[0].scope_spans[0].spans.add(name="x", trace_id=b"short")
    answer = await send(plane, agent.token, "traces", otlp.written(request))
    assert answer.content == b"\x0a\x02\x08\x01"
    assert (await plane.ok("GET", "/telemetry/state"))["lost"] == {"broken": 1}


async def test_logs_are_followed(plane: Plane, agent: Agent) -> None:
    start = (await plane.ok("GET", "/telemetry/logs/follow"))["after"]
    query = {"after": start, "wait": 20, "deployment": agent.deployment_id}
    held = asyncio.create_task(plane.ok("GET", "/telemetry/logs/follow", params=query))
    await asyncio.sleep(0.1)
    await send(plane, agent.token, "logs")
    found = await asyncio.wait_for(held, 5)
    assert [item["number"] for item in found["items"]] == [start + 1, start + 2]
    assert found["after"] == start + 2


async def test_filters_narrow(plane: Plane, agent: Agent) -> None:
    await send(plane, agent.token, "logs")
    await send(plane, agent.token, "metrics")
    assert len(await shown(plane, "logs", severity=17)) == 1
    assert await shown(plane, "logs", workload="nobody") == []
    assert len(await shown(plane, "logs", trace=TRACE.hex())) == 1
    later = (plane.clock() + timedelta(hours=1)).isoformat()
    assert await shown(plane, "logs", since=later) == []
    (point,) = await shown(plane, "metrics", name="orders.placed")
    assert (point["kind"], point["value"], point["unit"]) == ("sum", 3.0, "{order}")
    foreign = await plane.token("read", deploymentId=(await plane.agent("other")).deployment_id)
    assert (await plane.ok("GET", "/telemetry/logs", token=foreign))["items"] == []
    answer = await plane.call("GET", "/telemetry/logs", token=foreign, params={"deployment": agent.deployment_id})
    assert answer.status_code == 403


async def test_a_trace_is_shown_whole(plane: Plane, agent: Agent) -> None:
    await send(plane, agent.token, "traces")
    (summary,) = await shown(plane, "traces")
    assert (summary["traceId"], summary["spans"], summary["ms"]) == (TRACE.hex(), 1, 5.0)
    (span,) = (await plane.ok("GET", f"/telemetry/traces/{TRACE.hex()}"))["spans"]
    assert (span["kind"], [event["name"] for event in span["events"]]) == ("server", ["event", "exception"])
    other = await plane.token("read", deploymentId=(await plane.agent("other")).deployment_id)
    assert (await plane.call("GET", f"/telemetry/traces/{TRACE.hex()}", token=other)).status_code == 404


async def test_what_is_old_or_too_much_is_forgotten(plane: Plane, agent: Agent) -> None:
    await send(plane, agent.token, "logs")
    plane.clock.advance(store.KEPT.total_seconds() + 1)
    await agent.renew()
    await send(plane, agent.token, "metrics")
    await housekeeping.prune_telemetry(plane.control)
    assert await shown(plane, "logs") == []
    assert len(await shown(plane, "metrics")) == 1
    await send(plane, agent.token, "traces")
    await plane.control.database.write(lambda t: store.prune(t, most_rows=1))
    assert await shown(plane, "metrics") == []
    assert len(await shown(plane, "traces")) == 1


async def test_what_waits_for_a_receiver_is_bounded_and_counted(plane: Plane) -> None:
    write = plane.control.database.write
    for _ in range(4):
        await write(lambda t: store.put_out(t, "logs", 10, b"x" * 100))
    await write(lambda t: store.prune(t, most_out=250))
    state = await plane.ok("GET", "/telemetry/state")
    assert (state["waiting"], state["lost"]) == (20, {"full": 20})


@contextmanager
def receiver(folder: Path, port: int = 0) -> Iterator[tuple[str, Path]]:
    file = folder / "received.jsonl"
    process = subprocess.Popen([sys.executable, str(RECEIVER), str(file), str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}", file
    finally:
        process.kill()
        process.communicate()


def received(file: Path, status: int = 200) -> list[dict[str, Any]]:
    lines = file.read_text().splitlines() if file.exists() else []
    return [told for told in map(json.loads, lines) if told["status"] == status]


async def test_it_is_forwarded_to_a_receiver_that_first_does_not_take_it(plane: Plane, tmp_path: Path) -> None:
    app = create_app(replace(plane.control, forwards=True))
    plane = replace(plane, app=app)
    agent = await plane.agent()
    await beat(agent, "events", release="2.0")
    for signal in SIGNALS:
        assert (await send(plane, agent.token, signal)).is_success
    with receiver(tmp_path) as (url, file):
        file.with_suffix(".statuses").write_text("503 429 200 400")
        target = Target(url=url, headers={"authorization": "Bearer receivers"})
        forwarder = Forwarder(target, plane.control.database, plane.control.waiting)
        async with httpx.AsyncClient(trust_env=False) as http:
            rounds = [await forwarder.once(http) for _ in range(5)]
        assert rounds == [False, False, True, True, True]
        good = received(file)
        assert [told["path"] for told in good] == ["/v1/logs", "/v1/traces"]
        assert good[0]["headers"]["authorization"] == "Bearer receivers"
        assert SECRET not in file.read_text()
        resource = good[0]["body"]["resourceLogs"][0]["resource"]["attributes"]
        facts = {each["key"]: each["value"].get("stringValue") for each in resource}
        assert facts["alien.deployment.id"] == agent.deployment_id
        assert (facts["alien.customer"], facts["alien.release"]) == ("acme", "2.0")
    state = await plane.ok("GET", "/telemetry/state")
    assert (state["waiting"], state["lost"]) == (0, {"refused": 1})  # the metric, at which it answered 400


FORBIDDEN = (
    "ftp://x https:// https://u:p@x https://x?a=1 http://169.254.169.254 http://[fe80::1] http://[fd00:ec2::254]/"
    " http://0.0.0.0 http://[::ffff:169.254.169.254]/"
)


@pytest.mark.parametrize("url", FORBIDDEN.split())
def test_addresses_that_are_never_asked_are_refused_at_the_start(url: str) -> None:
    with pytest.raises(InvalidInput):
        Target(url=url).check()


async def test_a_name_that_points_to_metadata_is_not_asked(plane: Plane, tmp_path: Path) -> None:
    await plane.control.database.write(lambda t: store.put_out(t, "logs", 1, b""))
    with receiver(tmp_path) as (url, file):
        port = httpx.URL(url).port
        target = Target(url=f"http://otlp.example:{port}")
        for address in ("169.254.169.254", "fe80::1%eth0", "100.100.100.200"):
            forwarder = Forwarder(target, plane.control.database, plane.control.waiting, lambda *_, a=address: [a])
            async with httpx.AsyncClient(trust_env=False) as http:
                assert await forwarder.once(http) is False
        assert received(file) == []
        forwarder = Forwarder(
            target, plane.control.database, plane.control.waiting, lambda *_: ["169.254.169.254", "127.0.0.1"]
        )
        async with httpx.AsyncClient(trust_env=False) as http:
            assert await forwarder.once(http) is True
        assert received(file)[0]["headers"]["host"] == f"otlp.example:{port}"


async def test_a_redirect_is_not_followed(plane: Plane, tmp_path: Path) -> None:
    await plane.control.database.write(lambda t: store.put_out(t, "logs", 3, b""))
    with receiver(tmp_path) as (url, file):
        file.with_suffix(".statuses").write_text("307")
        forwarder = Forwarder(Target(url=url), plane.control.database, plane.control.waiting)
        async with httpx.AsyncClient(trust_env=False) as http:
            assert await forwarder.once(http) is True
    assert (await plane.ok("GET", "/telemetry/state"))["lost"] == {"refused": 3}


def test_headers_are_read_from_a_file_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "headers"
    path.write_text("Authorization: Bearer abc\n\nx-team: blue\n")
    target = forwarding.target("https://otlp.example.com", path)
    assert target
    assert dict(target.headers) == {"authorization": "Bearer abc", "x-team": "blue"}
    assert "abc" not in repr(target)
    path.write_text("nonsense\n")
    with pytest.raises(InvalidInput, match="line 1"):
        forwarding.target("https://otlp.example.com", path)


@pytest.mark.timeout(90)
def test_a_killed_server_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    with receiver(tmp_path) as (url, file):
        server = Process(tmp_path / "plane", more=("--forward", url))
        server.start()
        body = {"customer": "acme", "platform": "local"}
        deployment = server.call("POST", "/enrolment-codes", body)["deploymentId"]
        scoped = {"name": "t", "scopes": ["telemetry"], "deploymentId": deployment}
        token = server.call("POST", "/auth/tokens", scoped)["token"]
        acknowledged = 0
        for number in range(30):
            told = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityNumber": 9}] * 40}]}]}
            headers = {"alien-batch": f"b{number}"}
            server.call("POST", "/logs", told, token, headers=headers)
            acknowledged += 40
            if number in {7, 19}:
                server.kill()
                server.start()
        server.kill()
        server.start()
        with sqlite3.connect(tmp_path / "plane" / "control.sqlite") as db:
            (kept,) = db.execute("SELECT count(*) FROM telemetry").fetchone()
        db.close()
        assert kept == acknowledged
        eventually(lambda: server.call("GET", "/telemetry/state")["waiting"] == 0)
        state = server.call("GET", "/telemetry/state")
        server.stop()
        forwarded = sum(
            len(scope["logRecords"])
            for told in received(file)
            for group in told["body"]["resourceLogs"]
            for scope in group["scopeLogs"]
        )
        assert state["waiting"] == 0
        assert forwarded + sum(state.get("lost", {}).values()) >= acknowledged


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc here")
@pytest.mark.timeout(120)
def test_hostile_bodies_neither_end_nor_grow_the_process(tmp_path: Path) -> None:
    server = Process(tmp_path / "plane")
    server.start()
    deployment = server.call("POST", "/enrolment-codes", {"customer": "a", "platform": "local"})["deploymentId"]
    scoped = {"name": "t", "scopes": ["telemetry"], "deploymentId": deployment}
    token = server.call("POST", "/auth/tokens", scoped)["token"]
    tiny = b"\x0a\x00" * (2 << 20)  # as many empty resources as fit
    nested = b"\x0a" + bytes([0xFF, 0xFF, 0xFF, 0x01]) + b"\x0a" * 100
    hostile = [
        (gzip.compress(bytes(64 << 20)), "gzip", otlp.PROTOBUF),
        (gzip.compress(b"[" * (3 << 20)), "gzip", otlp.JSON),
        (gzip.compress(b"[[],[]," * (500 << 10)), "gzip", otlp.JSON),
        (tiny[: otlp.UNPACKED_LIMIT], "", otlp.PROTOBUF),
        (nested, "", otlp.PROTOBUF),
    ]
    assert server.process is not None
    with server.client(token) as http:
        sizes = []
        for _ in range(3):
            for body, encoding, kind in hostile:
                headers = {"content-type": kind, "content-encoding": encoding}
                answer = http.post("/logs", content=body, headers=headers)
                assert answer.status_code < 500, answer.text
            sizes.append(resident(server.process.pid))
    assert server.call("GET", "/telemetry/state")["waiting"] == 0
    assert server.stop() == 0
    assert sizes[-1] < sizes[0] + (64 << 10)
    assert max(sizes) < 700 << 10


def resident(pid: int) -> int:
    """Kilobytes that a process has in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
