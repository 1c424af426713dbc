"""Heartbeats: what they say, and that an agent which is away or refuses them does not matter to the workload."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from runtime.runtime_agent import Agent, serve

from alien_iac.runtime import health
from alien_iac.runtime.clock import SystemClock
from alien_iac.runtime.handlers import Handler, Handlers
from alien_iac.runtime.runner import Runner
from alien_iac.runtime.settings import Settings
from alien_iac.runtime.vitals import Heartbeats, Vitals

ENOUGH = 6


class QuickClock:
    """Every wait is over soon; `waits` are those that were asked for."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.enough = asyncio.Event()

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) == ENOUGH:
            self.enough.set()
        await asyncio.sleep(0.01)


@pytest.fixture
def agent() -> Iterator[Agent]:
    made = Agent()
    with serve(made):
        yield made


def settings(agent_url: str, folder: Path, token: str) -> Settings:
    (folder / "token").write_text(token)
    return Settings(
        deployment_id="demo/acme", resource_id="api", release="3", agent_url=agent_url, token_file=folder / "token"
    )


async def beat(agent_url: str, folder: Path, check: Handler | None, token: str | None = None) -> QuickClock:
    mine = settings(agent_url, folder, token or "agent-token")
    runner = Runner(Handlers(all=(check,) if check else ()), clock=SystemClock())
    clock, ended = QuickClock(), asyncio.Event()
    beating = asyncio.create_task(Heartbeats(Vitals(runner, mine), mine, clock).run(ended))
    await clock.enough.wait()
    ended.set()
    await beating
    return clock


async def test_a_check_and_its_changes(agent: Agent, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter([None, True, False, "raise", "hang-not", True])

    @health
    def check() -> object:
        answer = next(answers, None)
        if answer == "raise":
            raise RuntimeError("hunter2")
        return answer

    await beat(agent.url, tmp_path, Handler(kind="health", name="", function=check))
    said = [(one["health"], one["message"]) for one in agent.beats[:5]]
    assert said[0] == said[1] == ("healthy", "")
    assert said[2] == ("unhealthy", "the health check returned False")
    assert said[3][0] == "unhealthy"
    assert "RuntimeError at" in said[3][1]
    assert "hunter2" not in said[3][1]
    assert said[4] == ("healthy", "")
    assert agent.beats[0]["release"] == "3"
    capsys.readouterr()


async def test_an_agent_that_is_away(tmp_path: Path) -> None:
    clock = await beat("http://127.0.0.1:9", tmp_path, None)
    assert clock.waits[0] < 2
    assert clock.waits[-1] > clock.waits[0]
    assert max(clock.waits) < 17


async def test_an_agent_that_refuses(agent: Agent, tmp_path: Path) -> None:
    await beat(agent.url, tmp_path, None, token="wrong")
    assert agent.beats == []
    assert len(agent.refused) >= 5


async def test_a_check_that_hangs_is_not_piled_up() -> None:
    release, begun = threading.Event(), []

    def check() -> None:
        begun.append(1)
        release.wait()

    handler = Handler(kind="health", name="", function=check)
    vitals = Vitals(Runner(Handlers(all=(handler,)), clock=SystemClock()), Settings(), check_seconds=0.05)
    for _ in range(3):
        assert (await vitals.examine()).health == "unhealthy"
    assert len(begun) == 1
    release.set()
    while (await vitals.examine()).health != "healthy":
        pass
