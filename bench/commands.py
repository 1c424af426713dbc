"""Commands over loopback: how long one takes, and how many go through, beside the bare skeleton.

The control plane is a process of its own and makes every write durable. A receiver leases by one long-poll, as an agent
does, and answers at once with the parameters; a sender sends and waits for the result. Every command is counted: sent,
delivered, answered, kept.
"""

import asyncio
import base64
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from figure import Figure, percentile
from servers import Agent, Plane, control_plane, enrolled, skeleton
from wire import Wire

RATE = 20
"""Commands a second for the round trip, sent whether or not the earlier ones are back."""
TRIP_S = 10.0
TIMER_S = 0.002
CLIENTS = 12
BURST_S = 4.0
ROUNDS = 3
LEASES = "/v1/commands/leases"


@dataclass
class Counts:
    """What became of the commands, by id."""

    sent: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    """Answered with what was sent in this very command."""

    def wrong(self, kept: Counter[str]) -> int:
        """Commands that are missing somewhere, or there more than once."""
        places = (self.delivered, self.answered, kept)
        return sum(any(place[made] != 1 for place in places) for made in self.sent | kept)


def measure() -> Iterator[Figure]:
    """The round trip first, then bursts that take the control plane and the skeleton in turn."""
    with tempfile.TemporaryDirectory(prefix="alien-bench-") as folder, control_plane(Path(folder, "plane")) as plane:
        agent = enrolled(plane, Path(folder, "agent"))
        with skeleton(Path(folder, "bare")) as bare:
            yield from asyncio.run(_measured(plane, agent, bare))


async def _measured(plane: Plane, agent: Agent, bare: str) -> list[Figure]:
    counts = Counts()
    async with _receiving(plane.url, agent, counts):
        sender = Sender(plane, agent, counts)
        await sender.open_loop(2.0)  # warm
        trips = await sender.open_loop(TRIP_S)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(await _burst(sender.command, lambda: Wire(plane.url, plane.admin)))
            theirs.append(await _burst(_bare_command, lambda: Wire(bare)))
    wrong = counts.wrong(await _kept(plane, agent))
    return _figures(trips, statistics.median(ours), statistics.median(theirs), wrong, counts.sent.total())


def _figures(trips: list[float], ours: float, theirs: float, wrong: int, sent: int) -> list[Figure]:
    half, most = (1000 * percentile(trips, share) for share in (0.5, 0.99))
    ratio = ours / theirs
    burst = f"{ours:.0f}, skeleton {theirs:.0f}, ratio {ratio:.2f}"
    return [
        Figure(f"command round trip at {RATE}/s, p50", f"{half:.1f} ms", "<= 10 ms", half <= 10),  # noqa: PLR2004 - the target
        Figure(f"command round trip at {RATE}/s, p99", f"{most:.1f} ms", "<= 50 ms", most <= 50),  # noqa: PLR2004 - the target
        Figure(f"commands/s, {CLIENTS} clients, durable", burst, "ratio >= 0.5", ratio >= 0.5),  # noqa: PLR2004 - the target
        Figure("commands lost, doubled or mixed up", f"{wrong} of {sent}", "0", wrong == 0),
    ]


@dataclass(frozen=True)
class Sender:
    """Sends commands with a vendor's token, and waits for their results."""

    plane: Plane
    agent: Agent
    counts: Counts

    async def command(self, wire: Wire) -> None:
        """One command, there and back."""
        params = _inline({"at": time.perf_counter_ns()})
        body = {"deploymentId": self.agent.deployment_id, "command": "echo", "params": params}
        made = (await wire.call("POST", "/v1/commands", body))["commandId"]
        self.counts.sent[made] += 1
        status = await wire.call("GET", f"/v1/commands/{made}?wait=25")
        if status["state"] == "SUCCEEDED" and status["response"]["response"] == params:
            self.counts.answered[made] += 1

    async def open_loop(self, seconds: float) -> list[float]:
        """Commands at a steady rate; how long each took, in seconds, from the instant at which it was due."""
        free = [Wire(self.plane.url, self.plane.admin)]
        begin = time.perf_counter()

        async def one(due: float) -> float:
            wire = free.pop() if free else Wire(self.plane.url, self.plane.admin)
            await self.command(wire)
            free.append(wire)
            return time.perf_counter() - due

        running = []
        for number in range(int(seconds * RATE)):
            due = begin + number / RATE
            await _until(due)
            running.append(asyncio.create_task(one(due)))
        trips = await asyncio.gather(*running)
        for wire in free:
            wire.close()
        return trips


async def _until(instant: float) -> None:
    """Wait to within microseconds: what a timer of whole milliseconds is late by would count as the command's time."""
    await asyncio.sleep(instant - time.perf_counter() - TIMER_S)
    while time.perf_counter() < instant:  # noqa: ASYNC110 - what is awaited is the clock
        await asyncio.sleep(0)


async def _burst(command: Callable[[Wire], Awaitable[None]], connect: Callable[[], Wire]) -> float:
    """Commands a second when each client sends its next one as soon as it has the result of the last."""
    done, end = 0, time.perf_counter() + BURST_S

    async def client() -> None:
        nonlocal done
        async with connect() as wire:
            while time.perf_counter() < end:
                await command(wire)
                done += 1

    begin = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return done / (time.perf_counter() - begin)


async def _bare_command(wire: Wire) -> None:
    await wire.call("POST", "/commands", {"params": "x"})
    leased = (await wire.call("POST", "/lease"))["id"]
    await wire.call("PUT", f"/commands/{leased}", {"result": "x"})


@asynccontextmanager
async def _receiving(url: str, agent: Agent, counts: Counts) -> AsyncIterator[None]:
    """A receiver with one long-poll; it answers on connections of their own."""
    free: list[Wire] = []
    answering: set[asyncio.Task[None]] = set()

    async def answer(lease: Mapping[str, Any]) -> None:
        envelope = lease["envelope"]
        counts.delivered[lease["commandId"]] += 1
        wire = free.pop() if free else Wire(url)
        target = urljoin(LEASES, envelope["responseHandling"]["submitResponseUrl"])
        await wire.call("PUT", target, {"status": "success", "response": envelope["params"]})
        free.append(wire)

    async def poll() -> None:
        body = {"deploymentId": agent.deployment_id, "maxLeases": 16, "leaseSeconds": 960}
        async with Wire(url, agent.token) as wire:
            while True:
                for lease in (await wire.call("POST", f"{LEASES}?wait=25", body))["leases"]:
                    task = asyncio.create_task(answer(lease))
                    answering.add(task)
                    task.add_done_callback(answering.discard)

    polling = asyncio.create_task(poll())
    try:
        yield
    finally:
        await asyncio.gather(*answering)
        polling.cancel()
        with suppress(asyncio.CancelledError):  # that is how it ends
            await polling
        for wire in free:
            wire.close()


async def _kept(plane: Plane, agent: Agent) -> Counter[str]:
    """The commands that the control plane says were answered, by id."""
    kept: Counter[str] = Counter()
    cursor = ""
    async with Wire(plane.url, plane.admin) as wire:
        while True:
            page = await wire.call("GET", f"/v1/commands?deployment={agent.deployment_id}&limit=500{cursor}")
            kept.update(item["commandId"] for item in page["items"] if item["state"] == "SUCCEEDED")
            if "next" not in page:
                return kept
            cursor = f"&cursor={page['next']}"


def _inline(value: object) -> dict[str, str]:
    return {"mode": "inline", "inlineBase64": base64.b64encode(json.dumps(value).encode()).decode()}
