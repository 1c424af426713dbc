"""How the workload is, by its own check; and the heartbeats that say so to the agent."""

from __future__ import annotations

import asyncio

import httpx

from alien_iac.protocol.api import WorkloadHeartbeat
from alien_iac.protocol.invocation import Health
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.ending import rest
from alien_iac.runtime.http import async_client
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.redelivery import Backoff
from alien_iac.runtime.runner import Runner
from alien_iac.runtime.settings import Settings
from alien_iac.runtime.work import Failed, Work

CHECK_SECONDS = 5.0
"""A check that takes longer has failed."""
BEAT_SECONDS = 5.0
LONGEST_SILENCE_SECONDS = 15.0
"""The longest wait between two tries to reach an agent that is away: it asks for health soon after its return."""


class Vitals:
    """A workload without a check of its own is healthy once it runs."""

    def __init__(self, runner: Runner, settings: Settings, *, check_seconds: float = CHECK_SECONDS) -> None:
        self._runner = runner
        self._settings = settings
        self._check_seconds = check_seconds
        self._was_well = True
        self._checking: asyncio.Task[str | None] | None = None

    async def examine(self) -> Health:
        """Ask the vendor's check. What it raises is logged when it begins to fail, not each time."""
        problem = await self._problem()
        if self._was_well != (problem is None):
            LOGGER.info(line("health", now="healthy" if problem is None else "unhealthy", why=problem))
        self._was_well = problem is None
        return Health(
            health="healthy" if problem is None else "unhealthy",
            release=self._settings.release,
            message=problem or "",
        )

    async def _problem(self) -> str | None:
        """What is wrong. A check that hangs is left to it, and not begun a second time."""
        if self._checking is None:
            self._checking = asyncio.create_task(self._check())
        done, _ = await asyncio.wait({self._checking}, timeout=self._check_seconds)
        if not done:
            return f"the health check did not end within {self._check_seconds:g} s"
        self._checking = None
        return done.pop().result()

    async def _check(self) -> str | None:
        checks = self._runner.handlers.of("health")
        if not checks:
            return None
        work = Work(handler=checks[0], id="health", payload=None)
        outcome = await self._runner.attempt(work, log_failure=self._was_well)
        if isinstance(outcome, Failed):
            return outcome.message
        return "the health check returned False" if outcome.value is False else None


class Heartbeats:
    """Tells the agent every few seconds. Where there is no agent, or it is away, the workload does not mind."""

    def __init__(self, vitals: Vitals, settings: Settings, clock: Clock) -> None:
        self._vitals = vitals
        self._settings = settings
        self._clock = clock

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`."""
        if not self._settings.agent_url:
            return
        backoff = Backoff(first=1.0, longest=LONGEST_SILENCE_SECONDS)
        heard = True
        async with async_client(BEAT_SECONDS) as http:
            while not ended.is_set():
                problem = await self._beat(http)
                if heard != (problem is None):
                    LOGGER.info(line("agent", heard=problem is None, why=problem))
                heard = problem is None
                if heard:
                    backoff.reset()
                await rest(self._clock, BEAT_SECONDS if heard else backoff.next(), ended)

    async def _beat(self, http: httpx.AsyncClient) -> str | None:
        """What kept the agent from hearing, if anything did."""
        settings = self._settings
        health = await self._vitals.examine()
        body = WorkloadHeartbeat(
            deployment_id=settings.deployment_id,
            resource_id=settings.resource_id,
            release=settings.release,
            health=health.health,
            message=health.message,
        )
        try:
            token = await asyncio.to_thread(settings.workload_token)
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = await http.post(f"{settings.agent_url}/v1/heartbeats", json=body.dump(), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return type(error).__name__
        return None if answer.is_success else f"answered {answer.status_code}"
