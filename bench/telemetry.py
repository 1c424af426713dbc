"""Telemetry in: megabytes a second of OTLP that a control plane screens, stamps and keeps durably."""

import asyncio
import gzip
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from figure import Figure
from servers import Agent, Plane, control_plane, enrolled

CLIENTS = 4
SECONDS = 4.0
RECORDS = 500


def measure() -> Iterator[Figure]:
    """One figure: logs as an SDK sends them, gzipped, at the default level."""
    with tempfile.TemporaryDirectory(prefix="alien-bench-") as folder, control_plane(Path(folder, "plane")) as plane:
        agent = enrolled(plane, Path(folder, "agent"))
        yield asyncio.run(_measured(plane, agent))


async def _measured(plane: Plane, agent: Agent) -> Figure:
    body, packed = _body()
    headers = {
        "authorization": f"Bearer {agent.token}",
        "content-type": "application/x-protobuf",
        "content-encoding": "gzip",
    }
    sent, end = 0, time.perf_counter() + SECONDS

    async def client() -> None:
        nonlocal sent
        async with httpx.AsyncClient(timeout=30) as http:
            while time.perf_counter() < end:
                answer = await http.post(f"{plane.url}/v1/logs", content=packed, headers=headers)
                answer.raise_for_status()
                sent += 1

    begin = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    spent = time.perf_counter() - begin
    items, size = sent * RECORDS / spent, sent * len(body) / spent / 1e6
    return Figure("telemetry in, one process, durable", f"{size:.1f} MB/s, {items:.0f} log records/s")


def _body() -> tuple[bytes, bytes]:
    """A batch as an SDK makes it: a message, and some attributes that leave and some that do not."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.add(key="service.name").value.string_value = "api"
    scope = group.scope_logs.add()
    scope.scope.name = "shop.orders"
    for number in range(RECORDS):
        record = scope.log_records.add(time_unix_nano=time.time_ns(), severity_number=9, severity_text="INFO")
        record.body.string_value = f"order {number} of customer {number % 97} placed in {number % 13} ms"
        record.trace_id, record.span_id = number.to_bytes(16, "big"), number.to_bytes(8, "big")
        for key, text in (("http.request.method", "POST"), ("http.route", "/orders/{id}"), ("customer", f"c{number}")):
            record.attributes.add(key=key).value.string_value = text
        record.attributes.add(key="code.line.number").value.int_value = number
    body = request.SerializeToString()
    return body, gzip.compress(body, 1)
