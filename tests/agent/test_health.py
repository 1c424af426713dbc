"""Whether a release is well: by each kind of signal, and none is never healthy."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
import pytest

from alien_iac.agent import health
from alien_iac.agent.beats import Beats
from alien_iac.agent.health import Examiner, Gate
from alien_iac.errors import UpdateFailed
from alien_iac.protocol.api import HealthWord, WorkloadHealth, WorkloadHeartbeat
from alien_iac.protocol.outputs import Health, Workload

GATE = Gate(successes=3, interval_s=0.01, deadline_s=0.2, report_s=0.4)


@dataclass
class Platform:
    runs: bool = True
    plugin: Path = Path()

    def keep(self) -> None: ...

    def is_running(self, workload_id: str) -> bool:
        return self.runs and bool(workload_id)

    def token_file(self, workload_id: str) -> Path | None:
        return self.plugin / workload_id


def workload(kind: Literal["heartbeat", "http", "tcp", "process"], url: str = "") -> Workload:
    return Workload(id="api", type="container", health=Health(kind=kind, url=url))


def beat(release: str = "2.0", word: HealthWord = "healthy") -> WorkloadHeartbeat:
    return WorkloadHeartbeat(deployment_id="d", resource_id="api", release=release, health=word)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "nobody":
            raise httpx.ConnectError("refused")
        return httpx.Response(204 if request.url.path == "/health" else 500)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        yield client


async def test_a_heartbeat_counts_for_its_own_release_and_while_it_is_new(http: httpx.AsyncClient) -> None:
    now = [0.0]
    beats, platform = Beats(lambda: now[0]), Platform()
    examiner = Examiner(beats, platform, http)

    async def word() -> HealthWord:
        return (await examiner.look(workload("heartbeat"), "2.0")).health

    assert await word() == "unknown"
    beats.hear(beat("1.0"))
    assert await word() == "unknown"
    beats.hear(beat())
    assert await word() == "healthy"
    platform.runs = False
    assert await word() == "unhealthy"
    platform.runs = True
    now[0] = health.SILENT_S + 1
    assert await word() == "unknown"
    beats.hear(beat(word="unhealthy"))
    assert await word() == "unhealthy"


@pytest.mark.parametrize(
    ("url", "word"),
    [("http://x/health", "healthy"), ("http://x/other", "unhealthy"), ("http://nobody/health", "unhealthy")],
)
async def test_http_is_healthy_where_it_answers_well(http: httpx.AsyncClient, url: str, word: str) -> None:
    found = await Examiner(Beats(), Platform(), http).look(workload("http", url), "2.0")
    assert found.health == word


async def test_tcp_is_healthy_where_it_accepts(http: httpx.AsyncClient) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    examiner = Examiner(Beats(), Platform(), http)
    for url in (f"http://127.0.0.1:{port}", f"127.0.0.1:{port}"):
        assert (await examiner.look(workload("tcp", url), "2.0")).health == "healthy"
    server.close()
    await server.wait_closed()
    assert (await examiner.look(workload("tcp", f"127.0.0.1:{port}"), "2.0")).health == "unhealthy"


async def test_a_process_is_healthy_where_the_platform_says_that_it_runs(http: httpx.AsyncClient) -> None:
    assert (await Examiner(Beats(), Platform(), http).look(workload("process"), "2.0")).health == "healthy"
    assert (await Examiner(Beats(), Platform(runs=False), http).look(workload("process"), "2.0")).health == "unhealthy"


class Script:
    """Looks that go as written; the last goes on for ever."""

    def __init__(self, *words: HealthWord) -> None:
        self.words = list(words)
        self.looks = 0

    async def look(self, workload: Workload, release: str) -> WorkloadHealth:
        await asyncio.sleep(0)
        self.looks += 1
        word = self.words.pop(0) if len(self.words) > 1 else self.words[0]
        return WorkloadHealth(id=workload.id, health=word, release=release)


async def passed(doctor: Script, *, reached: bool = True) -> None:
    def last_contact() -> float:
        return time.monotonic() if reached else 0.0

    await health.pass_gate(doctor, [workload("http")], "2.0", GATE, last_contact)


async def test_the_gate_wants_successes_in_a_row() -> None:
    doctor = Script("healthy", "healthy", "unhealthy", "healthy", "healthy", "healthy")
    await passed(doctor)
    assert doctor.looks == 6


@pytest.mark.parametrize("word", ["unhealthy", "unknown"])
async def test_what_is_not_healthy_in_time_has_failed(word: HealthWord) -> None:
    with pytest.raises(UpdateFailed, match=f"api is {word}"):
        await passed(Script(word))


async def test_a_healthy_release_that_cannot_be_reported_has_failed() -> None:
    with pytest.raises(UpdateFailed, match="control plane cannot be reached"):
        await passed(Script("healthy"), reached=False)
