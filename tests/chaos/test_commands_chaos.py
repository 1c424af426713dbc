"""kill -9 of the control plane, of agents and of workloads, at random, while commands are sent."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from agent.agent_processes import Agent, ControlPlane, Vendor
from chaos.chaos_record import changes, check, states, watch

from alien_iac.client import Commands
from alien_iac.errors import Unavailable
from alien_iac.plugin import leftovers
from alien_iac.protocol.local import Layout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

CUSTOMERS = ("acme", "globex")
SENDERS = 8
PER_SECOND = 25
COMMANDS_A_KILL = (12, 40)
"""After how many answers something is killed, at least and at most."""
TIMEOUT_S = 600
WORKER = """
import time
from alien_iac.runtime import command, current

@command("echo")
def echo(number: int) -> dict:
    with open("{runs}", "a") as runs:
        runs.write(current().id + "\\n")
    time.sleep(0.02 * (number % 5))
    return {{"number": number}}
"""


class Fleet:
    """A control plane and two customers, each of whose processes may be killed. One at a time is down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "control").mkdir()
        self.control = ControlPlane(folder / "control")
        self.control.start()
        self.database = folder / "control" / "control.sqlite"
        self.runs = folder / "runs"
        self.runs.touch()
        vendor = Vendor(folder / "vendor", self.control)
        vendor.init()
        vendor.release("1.0", WORKER.format(runs=self.runs))
        self.agents = [Agent(folder / name, self.control, name) for name in CUSTOMERS]
        self.kills: Counter[str] = Counter()
        self.answered = 0

    def begin(self) -> None:
        for agent in self.agents:
            agent.enrol()
            agent.start()
            agent.want("1.0")
        for agent in self.agents:
            agent.wait(lambda one: (one.release, one.status, one.health) == ("1.0", "running", "healthy"), 120)
        watch(self.database)

    def kill_something(self, chance: random.Random) -> None:
        """Kill -9, and start again as whoever runs it would. Each kind has its turn before any has another."""
        agent = chance.choice(self.agents)
        victims: dict[str, Callable[[], object]] = {
            "control plane": self._kill_control,
            "agent": lambda: _kill_agent(agent),
            "workload": lambda: _kill_workload(agent),
        }
        fewest = min(self.kills[name] for name in victims)
        name = chance.choice([name for name in victims if self.kills[name] == fewest])
        victims[name]()
        self.kills[name] += 1

    def _kill_control(self) -> None:
        self.control.stop(signal.SIGKILL)
        self.control.start()

    def end(self) -> None:
        for agent in self.agents:
            agent.clear()
        self.control.stop(signal.SIGKILL)


def _kill_agent(agent: Agent) -> None:
    agent.stop(signal.SIGKILL)
    agent.start()


def _kill_workload(agent: Agent) -> None:
    """Its supervisor starts it again."""
    folder = Layout(agent.folder / "data").workload("worker")
    for pid in leftovers.processes(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path)
    try:
        fleet.begin()
        yield fleet
    finally:
        fleet.end()


def _persist(call: Callable[[], object], until: float) -> object:
    """Ask until there is an answer: every call here may be made again."""
    while True:
        try:
            return call()
        except Unavailable:
            assert time.monotonic() < until, "there was no answer for too long"
            time.sleep(0.2)


def _send(fleet: Fleet, token: str, numbers: range, over: threading.Event) -> dict[str, int]:
    """Send commands one after the other, and take each result; the id of each with its number."""
    made: dict[str, int] = {}
    with Commands(fleet.control.url, token) as commands:
        for number in numbers:
            if over.is_set():  # another sender failed
                break
            begun = time.monotonic()
            until = begun + TIMEOUT_S
            deployment = fleet.agents[number % len(fleet.agents)].deployment_id
            key = f"chaos-{number}"

            def send(deployment: str = deployment, key: str = key, number: int = number) -> object:
                options = {"idempotency_key": key, "attempts": 100, "timeout": TIMEOUT_S}
                return commands.send(deployment, "echo", {"number": number}, **options)  # type: ignore[arg-type] # Options

            command = str(_persist(send, until))
            made[command] = number
            assert _persist(lambda command=command: commands.result(command, TIMEOUT_S), until) == {"number": number}  # type: ignore[misc] # a default argument
            fleet.answered += 1
            time.sleep(max(0.0, SENDERS / PER_SECOND - (time.monotonic() - begun)))
    return made


def test_every_command_ends_once_whatever_is_killed(fleet: Fleet, request: pytest.FixtureRequest) -> None:
    count, chance, over = request.config.getoption("--chaos-commands"), random.Random(), threading.Event()  # noqa: S311 - chaos, no secret
    token = fleet.control.call("POST", "/auth/tokens", {"name": "chaos", "scopes": ["send"]})["token"]

    def harm() -> None:
        following = chance.randint(*COMMANDS_A_KILL)
        while not over.wait(0.05):
            if fleet.answered >= following:
                fleet.kill_something(chance)
                following = fleet.answered + chance.randint(*COMMANDS_A_KILL)

    with ThreadPoolExecutor(SENDERS + 1) as pool:
        harming = pool.submit(harm)
        try:
            sending = [pool.submit(_send, fleet, token, range(first, count, SENDERS), over) for first in range(SENDERS)]
            made = {command: number for one in sending for command, number in one.result().items()}
        finally:
            over.set()
            harming.result()

    assert set(fleet.kills) == {"control plane", "agent", "workload"}, (
        f"{dict(fleet.kills)}: too few commands for every kind of kill"
    )
    assert sorted(made.values()) == list(range(count))
    found = states(fleet.database)
    assert set(found) == set(made), "a command was lost, or made twice"
    assert {state for state, _ in found.values()} == {"SUCCEEDED"}
    check(changes(fleet.database), set(made))
    runs = Counter(fleet.runs.read_text().split())
    assert set(runs) == set(made)
    assert not [command for command, times in runs.items() if times > found[command][1]], "it ran without an attempt"
    attempts = Counter(attempt for _, attempt in found.values())
    print(f"{count} commands, kills: {dict(fleet.kills)}, attempts: {dict(sorted(attempts.items()))}")  # noqa: T201 - the outcome
