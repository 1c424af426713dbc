"""What one caller may take of the control plane: requests in a time, bytes of heads, time of a connection."""

import asyncio
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from control.control_plane import Agent, Plane
from control.control_process import Process
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.control import connections, pacing
from alien_iac.control.app import create_app
from alien_iac.control.limits import HEAD_LIMIT, MOST_HEADERS
from alien_iac.control.pacing import Buckets, Pace, Rate
from alien_iac.control.refusals import TooManyRequests


class _Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(min_value=0, max_value=5), max_size=60), st.integers(1, 8), st.floats(0.1, 20))
def test_in_any_time_no_more_passes_than_the_rate_and_the_burst(steps: list[float], burst: int, rate: float) -> None:
    clock = _Seconds()
    buckets = Buckets(Rate(per_second=rate, burst=burst), clock)
    passed: list[float] = []
    for step in steps:
        clock.now += step
        try:
            buckets.take("a")
            passed.append(clock.now)
        except TooManyRequests as refused:
            clock.now += refused.after
            buckets.take("a")  # who waits as long as it is told gets through
            passed.append(clock.now)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + rate * (passed[last] - passed[first]) + 1e-6


def test_memory_is_bounded_and_each_has_its_own() -> None:
    buckets = Buckets(Rate(per_second=1, burst=1), _Seconds(), most=10)
    for number in range(1_000):
        buckets.take(str(number))
        with pytest.raises(TooManyRequests):
            buckets.take(str(number))
    assert len(buckets) == 10


def test_what_is_owed_for_failures_does_not_grow() -> None:
    clock = _Seconds()
    buckets = Buckets(Rate(per_second=1, burst=5), clock)
    for _ in range(1_000):
        buckets.charge("a")
    with pytest.raises(TooManyRequests):
        buckets.check("a")
    clock.now += 1
    buckets.check("a")


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        (None, "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_an_address_stands_for_who_has_it(address: str | None, who: str) -> None:
    assert pacing.origin(address) == who


def _slowed(plane: Plane, **buckets: Buckets) -> Plane:
    control = replace(plane.control, pace=Pace(**buckets))
    return replace(plane, control=control, app=create_app(control))


async def test_each_token_has_its_own_pace(plane: Plane) -> None:
    mine, other = await plane.agent("mine"), await plane.agent("other")
    clock = _Seconds()
    slow = _slowed(plane, bound=Buckets(Rate(per_second=0.5, burst=3), clock))
    for _ in range(3):
        await slow.ok("GET", "/agent/desired", token=mine.token)
    for method, path, body in (
        ("GET", "/agent/desired", None),
        ("POST", "/commands/leases?wait=25", {"deploymentId": mine.deployment_id}),
        ("POST", "/logs", {"resourceLogs": []}),
    ):
        answer = await slow.call(method, path, body, mine.token)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
        told = answer.json()
        assert (told["code"], told["retryable"]) == ("TOO_MANY_REQUESTS", True)
    await slow.ok("GET", "/agent/desired", token=other.token)
    await slow.ok("GET", "/deployments")
    clock.now += 2
    await slow.ok("GET", "/agent/desired", token=mine.token)


async def test_the_fleets_tokens_are_paced_too(plane: Plane) -> None:
    slow = _slowed(plane, fleet=Buckets(Rate(per_second=1, burst=2), _Seconds()))
    statuses = [(await slow.call("GET", "/deployments")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/enrol", {"code": "alien_enrol_wrong", "agentVersion": "1"}),
        ("/token", {"assertion": "a.b.c"}),
    ],
)
async def test_wrong_secrets_from_one_address_are_counted(plane: Plane, path: str, body: dict[str, str]) -> None:
    agent = Agent(plane=plane, deployment_id="")
    clock = _Seconds()
    slow = _slowed(plane, failures=Buckets(Rate(per_second=1, burst=3), clock))
    body = {**body, "publicKey": agent.public_key}
    answers = await asyncio.gather(*(slow.call("POST", path, body, token="") for _ in range(3)))
    assert {answer.status_code for answer in answers} == {401}
    assert (await slow.call("POST", path, body, token="")).status_code == 429
    assert (await slow.call("GET", "/deployments", token="alien_read_wrong")).status_code == 429
    await slow.ok("GET", "/deployments")
    clock.now += 1
    assert (await slow.call("POST", path, body, token="")).status_code == 401


async def test_right_secrets_are_not_counted(plane: Plane) -> None:
    slow = _slowed(plane, failures=Buckets(Rate(per_second=0.001, burst=1), _Seconds()))
    for _ in range(5):
        agent = await slow.agent()
        await agent.renew()


async def test_heads_are_bounded(plane: Plane) -> None:
    many = {f"x-{number}": "1" for number in range(MOST_HEADERS + 1)}
    for headers, path in (
        (many, "/deployments"),
        ({"x": "y" * HEAD_LIMIT}, "/deployments"),
        ({}, "/" + "z" * HEAD_LIMIT),
    ):
        answer = await plane.call("GET", path, headers=headers)
        assert answer.status_code == 431
        assert answer.json()["code"] == "INVALID_INPUT"
        assert answer.headers["cache-control"] == "no-store"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    made = Process(tmp_path_factory.mktemp("limits") / "data")
    made.start()
    yield made
    made.kill()


def _connected(process: Process) -> socket.socket:
    return socket.create_connection(("127.0.0.1", process.port), timeout=30)


ENDLESS = {
    "an endless header": b"GET / HTTP/1.1\r\nhost: x\r\nx: ",
    "an endless line": b"GET /",
    "endless trailers": b"POST /v1/enrol HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ",
}


def _until_cut_off(line: socket.socket) -> int:
    """Bytes that were taken before the other side closed."""
    sent = 0
    try:
        while sent < 64 << 20:
            sent += line.send(b"y" * 4_096)
    except OSError:  # a reset or a broken pipe, as the kernel has it
        return sent
    return sent


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ENDLESS))
def test_what_never_ends_is_cut_off(process: Process, name: str) -> None:
    with _connected(process) as line:
        line.sendall(ENDLESS[name])
        assert _until_cut_off(line) < 32 << 20
    assert httpx.get(f"http://127.0.0.1:{process.port}/healthz").is_success


@pytest.mark.slow
def test_connections_that_say_nothing_or_drip_are_closed(process: Process) -> None:
    with _connected(process) as silent, _connected(process) as dripping:
        began = time.monotonic()
        dripping.settimeout(0.2)
        dripping.sendall(b"GET /healthz HTTP/1.1\r\n")
        closed = False
        while not closed and time.monotonic() - began < connections.HEAD_S + 10:
            try:
                dripping.sendall(b"x")
                closed = dripping.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
        assert closed
        assert silent.recv(1) == b""
        assert time.monotonic() - began >= connections.HEAD_S - 1
