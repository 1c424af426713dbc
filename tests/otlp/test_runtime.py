"""Telemetry of a workload, by real processes: what is recorded, what leaves the process, and what a kill loses."""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from otlp.otlp_samples import SECRET
from otlp.telemetry_gateway import Listening, attribute, gateway
from runtime.runtime_workload import TOKEN, Machine, Running, envelope, eventually, queue_env, send

from alien_iac.protocol import arc
from alien_iac.protocol.telemetry.levels import LEVELS, Level
from alien_iac.runtime import telemetry
from alien_iac.runtime.telemetry import process, spans
from alien_iac.runtime.telemetry.buffer import Buffer
from alien_iac.runtime.telemetry.process import Telemetry

CODE = """
import logging, os
from alien_iac.runtime import command, on_message, queue, telemetry

log = logging.getLogger("shop.orders")
jobs = queue("jobs")
orders = telemetry.counter("orders")

@command("spill")
def spill(secret: str):
    log.warning("order %s placed", secret)
    log.warning(f"order {secret} placed")
    log.error("env " + os.environ["PASSWORD"])
    told = {"url.full": f"https://x/?token={secret}", "customer": secret, "http.route": f"/{secret}"}
    with telemetry.span("price", told):
        with telemetry.span(f"look up {secret}"):
            orders.add(1, {"customer": secret})
    log.warning("tagged", extra={"customer": secret, "http.status_code": 404, "http.route": secret})
    raise ValueError(f"cannot log in with {secret}")

@command("enqueue")
async def enqueue():
    await jobs.send({"a": 1})

@on_message("jobs")
def work(job: dict):
    log.warning("working")

@command("count")
def count(first: int, many: int):
    for number in range(first, first + many):
        log.warning("number", extra={"thread.id": number})
    return many
"""
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.end()


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    (tmp_path / "token").write_text(TOKEN + "\n")
    with gateway(tmp_path) as made:
        yield made


def function(machine: Machine, listening: Listening, **more: str) -> Running:
    env = {**listening.environment("worker", machine.folder / "token"), "PASSWORD": SECRET, **more}
    triggers = [{"kind": "queue", "resource": "jobs"}] if "ALIEN_JOBS_BINDING" in more else []
    code = CODE if triggers else CODE.replace('@on_message("jobs")', "")
    return machine.function(code, env, triggers)


@pytest.mark.parametrize("level", LEVELS)
def test_what_was_planted_leaves_no_process_below_full(machine: Machine, listening: Listening, level: Level) -> None:
    listening.level = level
    worker = function(machine, listening)
    eventually(lambda: listening.raw)  # it has asked for the level
    trace = arc.TraceContext(traceparent=f"00-{TRACE}-{SPAN}-01")
    answer = send(worker, envelope("spill", json.dumps({"secret": SECRET}).encode(), trace_context=trace))
    assert answer.json()["status"] == "error"
    assert worker.stop() == 0
    wire = b"".join(listening.raw)
    assert (SECRET.encode() in wire) is (level == "full")
    expected = {"off": (0, 0, 0), "metrics": (0, 0, 2), "events": (5, 3, 2), "full": (5, 3, 2)}[level]
    names = {metric["name"] for metric in listening.items("metrics")}
    assert (len(listening.items("logs")), len(listening.items("traces")), len(names)) == expected


def test_below_full_templates_places_and_kinds_are_told(machine: Machine, listening: Listening) -> None:
    worker = function(machine, listening)
    send(worker, envelope("spill", json.dumps({"secret": SECRET}).encode()))
    worker.stop()
    found = sorted(listening.items("logs"), key=lambda item: int(item["timeUnixNano"]))
    assert [item.get("body", {}).get("stringValue") for item in found] == [
        "order %s placed",
        None,
        None,
        "tagged",
        None,
    ]
    assert [attribute(item, "code.file.path") for item in found] == ["main.py"] * 4 + ["runner.py"]
    assert attribute(found[3], "http.status_code") == "404"
    failure = found[4]
    assert attribute(failure, "exception.type") == "ValueError"
    frames = [each["stringValue"] for each in attribute(failure, "alien.exception.frames")["values"]]
    assert frames[-1].startswith("main.py:")
    assert frames[-1].endswith(" spill")
    by_name = {item["name"]: item for item in listening.items("traces")}
    assert set(by_name) == {"command spill", "price", "internal"}
    root = by_name["command spill"]
    assert (root["kind"], root["status"]["code"]) == ("SPAN_KIND_SERVER", "STATUS_CODE_ERROR")
    assert attribute(root, "alien.outcome") == "HANDLER_ERROR"
    assert by_name["price"]["parentSpanId"] == root["spanId"]
    assert {item["traceId"] for item in found} == {root["traceId"]}
    metrics = {metric["name"]: metric for metric in listening.items("metrics")}
    assert metrics["orders"]["sum"]["dataPoints"][0]["asDouble"] == 1.0
    assert metrics["alien.handler.duration"]["histogram"]["dataPoints"][0]["count"] == "1"


def test_a_trace_goes_on_from_the_command_through_the_queue(machine: Machine, listening: Listening) -> None:
    machine.make_queue("jobs")
    worker = function(machine, listening, **queue_env(machine.broker(), "jobs"))
    trace = arc.TraceContext(traceparent=f"00-{TRACE}-{SPAN}-01")
    assert send(worker, envelope("enqueue", trace_context=trace)).json()["status"] == "success"
    eventually(lambda: {"message jobs", "command enqueue"} <= {item["name"] for item in listening.items("traces")})
    found = {item["name"]: item for item in listening.items("traces")}
    assert found["command enqueue"]["parentSpanId"] != found["message jobs"]["parentSpanId"]
    assert found["message jobs"]["parentSpanId"] == found["command enqueue"]["spanId"]
    assert found["command enqueue"]["traceId"] == found["message jobs"]["traceId"]
    assert worker.stop() == 0


def test_a_killed_workload_loses_nothing_that_it_recorded(machine: Machine, listening: Listening) -> None:
    sent = 0
    for _ in range(3):
        worker = function(machine, listening)
        for _ in range(5):
            body = json.dumps({"first": sent, "many": 20}).encode()
            assert send(worker, envelope("count", body, command_id=f"c{sent}")).json()["status"] == "success"
            sent += 20
        worker.kill()
    worker = function(machine, listening)
    eventually(lambda: len(numbers(listening)) >= sent)
    worker.stop()
    assert sorted(numbers(listening)) == list(range(sent))
    (latest, *_) = [
        point
        for metric in reversed(listening.items("metrics"))
        if metric["name"] == "alien.handler.duration"
        for point in metric["histogram"]["dataPoints"]
    ]
    assert latest["count"] == "15"  # what was counted before the kills counts still


def numbers(listening: Listening) -> list[int]:
    return [
        int(attribute(item, "thread.id"))
        for item in listening.items("logs")
        if item.get("body", {}).get("stringValue") == "number"
    ]


@pytest.fixture
def installed(listening: Listening, tmp_path: Path) -> Iterator[Telemetry]:
    """Telemetry of this process, which sends when it is told to."""
    env = {**listening.environment("worker", tmp_path / "token"), "ALIEN_RESOURCE_ID": "worker"}
    made = process.begin(env, in_background=False)
    assert made
    yield made
    made.end()


def test_what_may_be_frozen_sends_before_it_answers(installed: Telemetry, listening: Listening) -> None:
    with telemetry.span("work"):
        logging.getLogger("shop").warning("working")
    assert listening.items("traces") == []
    assert installed.flush()
    assert [item["name"] for item in listening.items("traces")] == ["work"]
    assert len(listening.items("logs")) == 1


def test_a_name_that_is_put_together_does_not_leave(installed: Telemetry, listening: Listening) -> None:
    who = "jane"
    with telemetry.span(f"order of {who}"):
        telemetry.counter(f"orders.{who}").add(1)
        telemetry.histogram("took").record(0.3)
    installed.flush()
    assert [item["name"] for item in listening.items("traces")] == ["internal"]
    assert {metric["name"] for metric in listening.items("metrics")} == {"took"}


def test_text_that_was_recorded_at_full_stays_once_the_level_is_lower(
    installed: Telemetry, listening: Listening
) -> None:
    listening.level = "full"
    installed.flush()
    logging.getLogger("shop").warning("free %s", SECRET)
    listening.level = "events"
    installed.flush()
    installed.flush()
    assert SECRET.encode() not in b"".join(listening.raw)
    lost = [metric for metric in listening.items("metrics") if metric["name"] == "alien.telemetry.lost"]
    assert attribute(lost[-1]["sum"]["dataPoints"][0], "alien.reason") == "level"


def test_an_asgi_app_goes_on_with_its_callers_trace(installed: Telemetry, listening: Listening) -> None:
    from alien_iac.runtime.telemetry.asgi import traced  # noqa: PLC0415 - only here

    async def app(scope: object, receive: object, send_: object) -> None:
        del scope, receive
        await send_({"type": "http.response.start", "status": 503, "headers": []})  # type: ignore[operator] # ASGI's
        await send_({"type": "http.response.body", "body": b""})  # type: ignore[operator] # ASGI's

    async def ask() -> None:
        transport = httpx.ASGITransport(traced(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
            await http.get(f"/{SECRET}?q={SECRET}", headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})

    import asyncio  # noqa: PLC0415 - only here

    asyncio.run(ask())
    installed.flush()
    (span,) = listening.items("traces")
    assert (span["name"], attribute(span, "http.response.status_code")) == ("GET", "503")
    assert span["parentSpanId"]
    assert SECRET.encode() not in b"".join(listening.raw)


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.sampled_from(["put", "put", "put", "send", "done", "open", "large"]), max_size=40))
def test_every_item_is_delivered_or_counted(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    folder = tmp_path_factory.mktemp("buffer")
    buffer, put, sent, batch = Buffer(folder, most_bytes=2_000), 0, 0, None
    for step in steps:
        match step:
            case "put" | "large":
                buffer.put("logs", "", "events", {"n": put, "x": "y" * (900 if step == "large" else 5)})
                put += 1
            case "send":
                batch = buffer.batch("logs", 100)
                again = buffer.batch("logs", 10_000)
                assert (batch and batch.id) == (again and again.id)
            case "done" if batch:
                current = buffer.batch("logs", 10_000)
                sent += len(current.items) if current else 0
                if current:
                    buffer.done(current, {})
                batch = None
            case "open":
                buffer.close()
                buffer = Buffer(folder, most_bytes=2_000)
    while last := buffer.batch("logs", 10_000):
        sent += len(last.items)
        buffer.done(last, {})
    assert sent + sum(count for _, _, count in buffer.losses()) == put
    buffer.close()


@given(st.text(max_size=80))
def test_a_traceparent_is_read_or_ignored(text: str) -> None:
    found = spans.parsed(text)
    assert found is None or found.traceparent == text


def test_nothing_is_recorded_or_loaded_without_an_endpoint() -> None:
    assert process.begin({}) is None
    with telemetry.span("x") as span:
        assert span.trace is None
    telemetry.counter("y").add(1)
    begun = time.perf_counter()
    for _ in range(10_000):
        telemetry.counter("y").add(1)
    assert time.perf_counter() - begun < 1
