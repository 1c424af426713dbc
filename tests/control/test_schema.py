"""The whole API against its own description: whatever is sent, no answer is a 5xx, and each is as described."""

import re
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from control.control_fleet import Robot, inline, publish, trusted
from control.control_process import Process
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

pytestmark = pytest.mark.slow

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
EXAMPLES = 16
AGENTS_ONLY = ("/v1/agent/", "/v1/logs", "/v1/metrics", "/v1/traces")
LAST = frozenset({"DELETE /v1/deployments/{deployment_id}", "PUT /v1/tuf/root", "PUT /v1/tuf/targets"})
"""What takes the others' things away is asked for at the end."""
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300).map(str.strip)


@dataclass(frozen=True)
class World:
    """A control plane with a deployment, a release, a rollout and a command, and what they are called."""

    process: Process
    agent: str
    names: Mapping[str, str]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.process.port}"

    def headers(self, path: str) -> dict[str, str]:
        token = self.agent if path.startswith(AGENTS_ONLY) else self.process.admin
        return {"authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    process = Process(tmp_path_factory.mktemp("schema") / "data")
    process.start()
    try:
        vendor = trusted(process)
        robot = Robot(process, frozenset())
        robot.enrol("acme")
        robot.stop()
        agent = robot.token()
        target = {"resourceId": "worker", "resourceType": "worker"}
        process.call(
            "POST", "/agent/reports", {"id": "0", "revision": 0, "phase": "unchanged", "targets": [target]}, agent
        )
        publish(process, vendor, "1.0", 1)
        rollout = process.call("POST", "/rollouts", {"release": "1.0"})
        sent = {"deploymentId": robot.deployment_id, "command": "x", "params": inline("1")}
        command = process.call("POST", "/commands", sent)["commandId"]
        (lease,) = process.call("POST", "/commands/leases", {"deploymentId": robot.deployment_id}, agent)["leases"]
        yield World(
            process,
            agent,
            {
                "deployment_id": robot.deployment_id,
                "deploymentId": robot.deployment_id,
                "command_id": command,
                "lease_id": lease["leaseId"],
                "version": "1.0",
                "rollout_id": rollout["id"],
                "sha256": next(iter(vendor.blobs())),
                "name": "timestamp.json",
                "path": "releases/1.0/manifest.json",
            },
        )
    finally:
        process.kill()


def test_no_answer_is_a_5xx_and_each_is_as_described(world: World) -> None:
    described = httpx.get(f"{world.base}/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(described)
    operations = sorted(
        (found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)),
        key=lambda one: one.label in LAST,
    )
    seen: Counter[str] = Counter()
    for operation in operations:
        _ask(world, operation, seen)
    assert len(operations) == sum(len(methods) for methods in described["paths"].values())
    assert seen["2xx"] > len(operations), f"too little of it went through: {seen}"
    assert world.process.call("GET", "/audit/verify")["whole"]


def _ask(world: World, operation: schemathesis.APIOperation[Any, Any, Any, Any], seen: Counter[str]) -> None:
    cases = operation.as_strategy()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, real=st.booleans(), odd=st.dictionaries(st.sampled_from(ODD), HEADER, max_size=3))
    def ask(case: schemathesis.Case[Any], real: bool, odd: dict[str, str]) -> None:  # noqa: FBT001 - hypothesis passes by name
        if real:
            for place in (case.path_parameters, case.query, case.body):
                _name(place, world.names)
        if case.query and "wait" in case.query:
            case.query["wait"] = 0
        answer = case.call(base_url=world.base, headers={**odd, **world.headers(operation.path)}, timeout=20)
        seen[f"{answer.status_code // 100}xx"] += 1
        case.validate_response(answer, checks=CHECKS)

    ask()


ODD = (
    "accept",
    "accept-encoding",
    "cookie",
    "forwarded",
    "idempotency-key",
    "if-none-match",
    "origin",
    "range",
    "traceparent",
    "tracestate",
    "x-alien-batch",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
)


def _name(place: object, names: Mapping[str, str]) -> None:
    """Put the names of real things into parameters or a body."""
    if isinstance(place, dict):
        place |= {key: names[key] for key in place.keys() & names.keys()}


NAMES = (
    *ODD,
    "authorization",
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "expect",
    "host",
)
PATHS = (
    "/v1/deployments",
    "/v1/enrol",
    "/v1/logs",
    "/dashboard/login",
    "/healthz",
    "/v1/commands/leases",
    "*",
    "//",
    "/%",
)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    name=st.one_of(st.sampled_from(NAMES).map(str.encode), st.binary(max_size=60)),
    value=st.binary(max_size=400),
    path=st.sampled_from(PATHS),
    method=st.sampled_from(["GET", "POST", "PUT", "OPTIONS", "TRACE", "CONNECT"]),
)
def test_no_header_makes_it_fail(world: World, name: bytes, value: bytes, path: str, method: str) -> None:
    head = f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n".encode()
    with socket.create_connection(("127.0.0.1", world.process.port), timeout=20) as line:
        line.sendall(head + name + b": " + value + b"\r\n\r\n")
        line.shutdown(socket.SHUT_WR)  # so that a body that was promised is waited for no longer
        answer = line.recv(100)
    assert not re.match(rb"HTTP/1.1 5", answer), answer
    assert not answer or answer.startswith(b"HTTP/1.1 ")


def test_it_serves_on_after_all_that(world: World) -> None:
    assert httpx.get(f"{world.base}/healthz").is_success
