"""A control plane as a real process, with a fleet that a person would meet: some healthy, some not, one hostile."""

import json
import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
from control.control_fleet import inline, trusted
from control.control_process import Process
from control.control_vendor import Json, Vendor
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HOSTILE = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">\'"&{{7*7}}'
CUSTOMERS = (
    "acme", "birch-and-co", "contoso", "danube-labs", "evergreen", "fabrikam", "globex", "hooli", "initech", "juniper",
    "kestrel", "lumon",
)  # fmt: skip
SICK, SILENT = "hooli", "lumon"
PLATFORMS = ("local", "aws", "gcp", "azure")
TARGETS = [
    {"resourceId": "api", "resourceType": "container"},
    {"resourceId": "worker", "resourceType": "worker"},
]
MINUTES = 56
COMMANDS = [
    {
        "name": "read-file",
        "resource": "worker",
        "description": "The text of a file",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    },
    {"name": "close-week", "resource": "worker", "parameters": {"type": "object", "properties": {}}},
]
POLICY = {
    "waves": [
        {"name": "canary", "size": 1, "canary": True, "bake": "1h"},
        {"name": "early", "size": 4, "failure_tolerance": 1, "bake": "1h"},
        {"name": "everyone"},
    ]
}


@dataclass
class Line(Process):
    """The process, asked over one connection: a client for each of some hundred calls costs seconds."""

    kept: httpx.Client | None = None

    def call(self, method: str, path: str, body: object = None, token: str | None = None, **options: Json) -> Json:
        if self.kept is None:
            self.kept = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/v1", timeout=30)
        headers = {"authorization": f"Bearer {token or self.admin}"}
        answer = self.kept.request(method, path, json=body, headers=headers, **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def stop(self) -> int:
        if self.kept is not None:
            self.kept.close()
        return super().stop()


@dataclass
class Customer:
    """One customer's agent, which does what the test tells it."""

    process: Process
    name: str
    deployment_id: str
    token: str
    key: Ed25519PrivateKey = field(repr=False)
    revision: int = 0
    release: str | None = None

    def call(self, method: str, path: str, body: object = None, **options: Json) -> Json:
        return self.process.call(method, path, body, self.token, **options)

    def beat(self, health: str = "healthy", workloads: Sequence[Mapping[str, str]] = ()) -> None:
        shown = workloads or [
            {"id": each["resourceId"], "health": health, "release": self.release or ""} for each in TARGETS
        ]
        body = {
            "agentVersion": "0.1.0",
            "release": self.release,
            "health": health,
            "telemetry": "full",
            "workloads": shown,
        }
        self.call("POST", "/agent/heartbeats", body)

    def report(self, phase: str, **more: object) -> None:
        body = {"id": uuid.uuid4().hex, "revision": self.revision, "phase": phase, "targets": TARGETS, **more}
        self.call("POST", "/agent/reports", {**body, "commands": COMMANDS})

    def take(self, *, ends: str = "succeeded", reason: str = "") -> bool:
        """Look what is desired, and report how it went; whether there was anything new."""
        wanted = self.call("GET", "/agent/desired", params={"after": self.revision, "wait": 0})
        if wanted["revision"] <= self.revision or not wanted.get("manifest"):
            return False
        self.revision = wanted["revision"]
        rollout = wanted.get("rolloutId")
        version = wanted["manifest"].split("/")[1]
        self.report("applying", rolloutId=rollout)
        if ends == "succeeded":
            self.release = version
            self.report(ends, release=version, rolloutId=rollout)
        elif ends:
            self.report(ends, release=self.release, reason=reason, rolloutId=rollout)
        self.beat()
        return True

    def answer(self, value: Json) -> None:
        """Lease one command and answer it."""
        found = self.call("POST", "/commands/leases", {"deploymentId": self.deployment_id, "leaseSeconds": 60})
        for lease in found["leases"]:
            path = f"/commands/{lease['commandId']}/response"
            self.call("PUT", path, value)

    def telemetry(self, signal: str, body: Json) -> None:
        self.call("POST", f"/{signal}", body)


def enrol(process: Process, name: str, platform: str = "local") -> Customer:
    new = {"customer": name, "platform": platform, "labels": {"tier": "gold", "region": "eu"}}
    code = process.call("POST", "/enrolment-codes", new)
    key = Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    process.call("POST", "/enrol", {"code": code["code"], "publicKey": pem, "agentVersion": "0.1.0"}, "none")
    now = datetime.now(UTC).timestamp()
    name_ = code["deploymentId"]
    claims = {"iss": name_, "sub": name_, "aud": "alien", "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex}
    made = process.call("POST", "/token", {"assertion": jwt.encode(claims, key, algorithm="EdDSA")}, "none")
    return Customer(process=process, name=name, deployment_id=name_, token=made["token"], key=key)


@dataclass
class World:
    process: Process
    customers: dict[str, Customer]
    rollout: str = ""
    trace: str = "5b8aa5a2d2c872e8321cf37308d69df2"
    command: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.process.port}/dashboard"

    @property
    def acme(self) -> Customer:
        return self.customers["acme"]

    def token(self, *scopes: str, **more: Json) -> str:
        return str(self.process.call("POST", "/auth/tokens", {"name": "test", "scopes": scopes, **more})["token"])

    def beat(self) -> None:
        """All that live say so: what was not heard of for a minute is unknown."""
        for name, each in self.customers.items():
            if name != SILENT:
                each.beat("unhealthy" if name == SICK else "healthy")


def settle(condition: Any, seconds: float = 20) -> None:
    """Wait until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def _publish(process: Process, vendor: Vendor, version: str, sequence: int) -> None:
    path = vendor.manifest(version, sequence, platforms=list(PLATFORMS))
    for sha256, content in vendor.blobs().items():
        process.call("PUT", f"/blobs/{sha256}", content=content)
    process.call("POST", "/releases", {"manifest": path, "targetsMetadata": vendor.targets()})


def peopled(process: Process) -> World:
    """The whole fleet: 1.4.1 everywhere, 1.5.0 under way, its canary baking and part of what came before it done."""
    vendor = trusted(process)
    customers = {
        name: enrol(process, name, PLATFORMS[number % 4] if number else "local")
        for number, name in enumerate(CUSTOMERS)
    }
    world = World(process=process, customers=customers)
    _publish(process, vendor, "1.4.1", 1)
    for each in customers.values():
        each.release = "1.4.1"
        each.report("unchanged", release="1.4.1")
    world.beat()
    _publish(process, vendor, "1.5.0", 2)
    body = {"release": "1.5.0", "policy": POLICY, "reason": "faster imports"}
    world.rollout = process.call("POST", "/rollouts", body)["id"]
    _roll(world)
    _commands(world)
    _telemetry(world)
    world.beat()
    return world


def _state(world: World) -> Json:
    return world.process.call("GET", f"/rollouts/{world.rollout}")


def _take(world: World, wave: str, *, fails: str = "", slow: str = "") -> None:
    """Every deployment of the wave does what it is told."""
    mine = [each["customer"] for each in _state(world)["targets"] if each["wave"] == wave]
    left = set(mine)

    def done() -> bool:
        for name in sorted(left):
            how = "returned" if name == fails else "" if name == slow else "succeeded"
            if world.customers[name].take(ends=how, reason="the api did not become healthy within 5 min"):
                left.discard(name)
        return not left

    settle(done)


def _roll(world: World) -> None:
    _take(world, "canary")
    settle(lambda: _baking(world, "canary"))
    world.process.call("POST", f"/rollouts/{world.rollout}/actions", {"action": "promote", "reason": "looks good"})
    early = [each["customer"] for each in _state(world)["targets"] if each["wave"] == "early"]
    _take(world, "early", fails=early[-1])
    settle(lambda: _baking(world, "early"))


def _baking(world: World, wave: str) -> bool:
    world.beat()
    found = _state(world)
    return bool(found["state"] == "baking" and found["wave"] == wave)


def _commands(world: World) -> None:
    for command, value in (("read-file", {"text": "hello", "lines": 1}), ("close-week", None), ("read-file", None)):
        body = {
            "deploymentId": world.acme.deployment_id,
            "command": command,
            "params": inline('{"path": "a.txt"}'),
            "targetResourceId": "worker",
        }
        made = world.process.call("POST", "/commands", body)
        if value:
            world.command = made["commandId"]
            world.acme.answer({"status": "success", "response": inline(json.dumps(value))})
        elif command == "close-week":
            world.acme.answer({"status": "error", "code": "HANDLER_FAILED", "message": "the week is closed already"})


def _resource(workload: str) -> dict[str, Json]:
    return {"attributes": [_text("service.name", workload), _text("alien.workload", workload)]}


def _text(key: str, value: str) -> dict[str, Json]:
    return {"key": key, "value": {"stringValue": value}}


def _nanos(at: datetime) -> str:
    return str(int(at.timestamp() * 1_000_000) * 1_000)


def _telemetry(world: World) -> None:
    now = datetime.now(UTC)
    world.acme.telemetry(
        "logs", {"resourceLogs": [{"resource": _resource("api"), "scopeLogs": [_logs(now, world.trace)]}]}
    )
    for step in range(0, MINUTES, 2):
        sent = [_metrics(now, name, step) for name in ("api", "worker")]
        world.acme.telemetry("metrics", {"resourceMetrics": sent})
    world.acme.telemetry("traces", {"resourceSpans": _spans(now, world.trace)})


def _logs(now: datetime, trace: str) -> dict[str, Json]:
    lines = [
        (9, "started, listening on port 8080"),
        (9, "GET /orders 200 in 12 ms"),
        (9, "GET /orders/812 200 in 9 ms"),
        (13, "the queue answered late: 1,240 ms"),
        (17, "order 813 could not be placed: the stock service did not answer"),
        (5, "pool: 4 of 10 connections are in use"),
        (9, f"a name from outside: {HOSTILE}"),
        (9, "GET /orders/814 200 in 11 ms"),
    ]
    records = [
        {
            "timeUnixNano": _nanos(now - timedelta(seconds=30 - 3 * number)),
            "severityNumber": severity,
            "severityText": "",
            "body": {"stringValue": text},
            "attributes": [_text("http.route", "/orders/{id}")] if "GET" in text else [],
            "traceId": trace if severity > 12 else "",
            "spanId": "eee19b7ec3c1b174" if severity > 12 else "",
        }
        for number, (severity, text) in enumerate(lines)
    ]
    return {"scope": {"name": "shop.orders"}, "logRecords": records}


def _metrics(now: datetime, workload: str, step: int) -> dict[str, Json]:
    """The metrics of one minute, as they come: one point of each."""
    shift = 2 if workload == "api" else 5
    at = {"timeUnixNano": _nanos(now - timedelta(minutes=MINUTES - step))}
    busy = {**at, "asDouble": round(40 + 25 * math.sin(step / 4 + shift) + (step * 7 % 5), 2)}
    total = {**at, "asInt": str(step * (11 + shift) + step % 7)}
    wait = {**at, "count": str(10 + step), "sum": (10 + step) * (0.03 + 0.012 * math.sin(step / 3 + shift))}
    wait |= {"bucketCounts": [wait["count"]], "explicitBounds": []}
    cumulative = {"aggregationTemporality": 2}
    metrics = [
        {"name": "process.cpu.utilization", "unit": "%", "gauge": {"dataPoints": [busy]}},
        {"name": "alien.handler.runs", "unit": "1", "sum": {"dataPoints": [total], "isMonotonic": True, **cumulative}},
        {"name": "alien.handler.duration", "unit": "s", "histogram": {"dataPoints": [wait], **cumulative}},
    ]
    return {"resource": _resource(workload), "scopeMetrics": [{"scope": {"name": "alien"}, "metrics": metrics}]}


def _spans(now: datetime, trace: str) -> list[dict[str, Json]]:
    begun = now - timedelta(seconds=20)
    rows = [
        ("api", "eee19b7ec3c1b174", "", "POST /orders", 2, 0, 412, False),
        ("api", "aaa19b7ec3c1b175", "eee19b7ec3c1b174", "check basket", 1, 6, 41, False),
        ("api", "bbb19b7ec3c1b176", "eee19b7ec3c1b174", "jobs send", 4, 60, 22, False),
        ("worker", "ccc19b7ec3c1b177", "bbb19b7ec3c1b176", "jobs process", 5, 96, 290, False),
        ("worker", "ddd19b7ec3c1b178", "ccc19b7ec3c1b177", "GET stock", 3, 110, 181, True),
        ("worker", "fff19b7ec3c1b179", "ccc19b7ec3c1b177", HOSTILE[:60], 1, 300, 74, False),
    ]
    return [
        {
            "resource": _resource(workload),
            "scopeSpans": [
                {
                    "scope": {"name": "shop"},
                    "spans": [
                        {
                            "traceId": trace,
                            "spanId": span,
                            "parentSpanId": parent,
                            "name": name,
                            "kind": kind,
                            "startTimeUnixNano": _nanos(begun + timedelta(milliseconds=start)),
                            "endTimeUnixNano": _nanos(begun + timedelta(milliseconds=start + took)),
                            "status": {"code": 2, "message": "the stock service did not answer"} if failed else {},
                            "attributes": [_text("http.request.method", "POST")] if kind in (2, 3) else [],
                        }
                    ],
                }
            ],
        }
        for workload, span, parent, name, kind, start, took, failed in rows
    ]
