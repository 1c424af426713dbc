"""Whether the workloads of a release are well. No signal is never healthy."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from alien_iac.agent.beats import Beats
from alien_iac.agent.machine import Machine
from alien_iac.errors import UpdateFailed
from alien_iac.protocol.api import HealthWord, WorkloadHealth
from alien_iac.protocol.outputs import Workload

ASK_S = 3.0
"""How long one question may take."""
SILENT_S = 20.0
"""A workload that said nothing for so long is not known to be well."""


@dataclass(frozen=True)
class Gate:
    """When an update counts as well: `successes` looks in a row, `interval_s` apart, before `deadline_s` is over."""

    successes: int = 3
    interval_s: float = 1.0
    deadline_s: float = 120.0
    report_s: float = 300.0
    """How long the agent may be unable to reach the control plane after an update, though it could before."""


class Doctor(Protocol):
    """Looks at one workload."""

    async def look(self, workload: Workload, release: str) -> WorkloadHealth: ...


class Examiner:
    """Looks at a workload in the way that its deployment says: its own heartbeat, HTTP, TCP, or the platform.

    A heartbeat counts while the platform agrees that its process runs: a process that crashed a moment ago is not well.
    """

    def __init__(self, beats: Beats, machine: Machine, http: httpx.AsyncClient) -> None:
        self._beats = beats
        self._machine = machine
        self._http = http

    async def look(self, workload: Workload, release: str) -> WorkloadHealth:
        """How a workload is, and whether it is the one of `release`."""
        match workload.health.kind:
            case "heartbeat":
                found = self._by_heartbeat(workload, release)
                if found.health != "healthy":
                    return found
                word, why = await self._by_platform(workload)
            case "http":
                word, why = await self._by_http(workload.health.url)
            case "tcp":
                word, why = await _by_tcp(workload.health.url)
            case "process":
                word, why = await self._by_platform(workload)
        return WorkloadHealth(id=workload.id, health=word, release=release, message=why)

    def _by_heartbeat(self, workload: Workload, release: str) -> WorkloadHealth:
        beat = self._beats.newest(workload.id, SILENT_S)
        if beat is None:
            return WorkloadHealth(id=workload.id, health="unknown", message=f"no heartbeat for {SILENT_S:.0f} s")
        if beat.release != release:
            why = f"the heartbeat is that of {beat.release}, not {release}"
            return WorkloadHealth(id=workload.id, health="unknown", release=beat.release, message=why)
        return WorkloadHealth(id=workload.id, health=beat.health, release=beat.release, message=beat.message)

    async def _by_platform(self, workload: Workload) -> tuple[HealthWord, str]:
        runs = await asyncio.to_thread(self._machine.is_running, workload.id)
        return ("healthy", "") if runs else ("unhealthy", "it does not run")

    async def _by_http(self, url: str) -> tuple[HealthWord, str]:
        try:
            answer = await self._http.get(url, timeout=ASK_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return "unhealthy", f"{url} does not answer ({type(error).__name__})"
        return ("healthy", "") if answer.is_success else ("unhealthy", f"{url} answered {answer.status_code}")


async def _by_tcp(url: str) -> tuple[HealthWord, str]:
    place = urlsplit(url if "//" in url else f"//{url}")
    try:
        async with asyncio.timeout(ASK_S):
            _, writer = await asyncio.open_connection(place.hostname, place.port)
    except (OSError, TimeoutError) as error:
        return "unhealthy", f"{url} does not accept ({type(error).__name__})"
    writer.close()
    return "healthy", ""


async def examine(doctor: Doctor, workloads: Sequence[Workload], release: str) -> tuple[WorkloadHealth, ...]:
    """All workloads, looked at side by side."""
    return tuple(await asyncio.gather(*(doctor.look(workload, release) for workload in workloads)))


def overall(found: Sequence[WorkloadHealth]) -> HealthWord:
    """The worst: unhealthy before unknown before healthy. Nothing to look at is healthy: there is nothing that runs."""
    words = {one.health for one in found}
    return "unhealthy" if "unhealthy" in words else "unknown" if "unknown" in words else "healthy"


async def pass_gate(
    doctor: Doctor, workloads: Sequence[Workload], release: str, gate: Gate, last_contact: Callable[[], float]
) -> None:
    """Return when the release is well, and the control plane was reached since this began.

    Raises UpdateFailed with each workload that is not well when the time is over.
    """
    begun = time.monotonic()
    in_a_row = 0
    while True:
        found = await examine(doctor, workloads, release)
        in_a_row = in_a_row + 1 if overall(found) == "healthy" else 0
        waited = time.monotonic() - begun
        if in_a_row >= gate.successes:
            if last_contact() > begun:
                return
            if waited > gate.report_s:
                raise UpdateFailed(f"since {release} the control plane cannot be reached, though it could be before")
        elif waited > gate.deadline_s:
            raise UpdateFailed(f"{release} is not healthy after {gate.deadline_s:.0f} s: {_listed(found)}")
        await asyncio.sleep(gate.interval_s)


def _listed(found: Sequence[WorkloadHealth]) -> str:
    return "; ".join(
        f"{w.id} is {w.health}" + (f" ({w.message})" if w.message else "") for w in found if w.health != "healthy"
    )
