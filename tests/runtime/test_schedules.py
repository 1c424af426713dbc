"""A Function's schedules: by a clock that the test sets, and once by the machine's own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from runtime.runtime_workload import Machine, eventually, rows

from alien_iac.errors import InvalidInput
from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.runtime import on_schedule
from alien_iac.runtime.deliveries import Deliveries
from alien_iac.runtime.handlers import Handler, Handlers
from alien_iac.runtime.instants import CATCH_UP, instants
from alien_iac.runtime.local.ledger import Ledger
from alien_iac.runtime.local.schedules import Schedule
from alien_iac.runtime.redelivery import ATTEMPTS
from alien_iac.runtime.runner import Runner

HOURLY = ScheduleTrigger(cron="0 * * * *")
START = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)


@dataclass
class FakeClock:
    """Its time passes while somebody sleeps, until `end`."""

    time: datetime
    end: datetime
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time += timedelta(seconds=max(seconds, 0.001))
        if self.time > self.end:
            self.over.set()


async def run(
    folder: Path,
    since: datetime,
    until: datetime,
    function: Callable[..., object],
    trigger: ScheduleTrigger = HOURLY,
) -> FakeClock:
    """One process's life by the fake clock."""
    clock = FakeClock(since, until)
    handlers = Handlers(all=(Handler(kind="schedule", name="", function=function),))
    ledger = Ledger(folder)
    try:
        await Schedule(trigger, Deliveries(Runner(handlers, clock=clock), clock), ledger, clock).run(clock.over)
    finally:
        ledger.close()
    return clock


async def test_each_instant_once(tmp_path: Path) -> None:
    ran: list[datetime] = []
    await run(tmp_path, START, START + timedelta(hours=3), ran.append)
    assert ran == [START.replace(hour=hour, minute=0) for hour in (11, 12, 13)]


async def test_a_restart_neither_doubles_nor_loses(tmp_path: Path) -> None:
    ran: list[datetime] = []
    await run(tmp_path, START, START + timedelta(hours=1), ran.append)
    # Down from 11:30 to 14:10.
    await run(tmp_path, START + timedelta(hours=3, minutes=40), START + timedelta(hours=5), ran.append)
    assert [instant.hour for instant in ran] == [11, 12, 13, 14, 15]


async def test_after_a_long_time_the_newest_are_made_up_for(tmp_path: Path) -> None:
    ran: list[datetime] = []
    await run(tmp_path, START, START + timedelta(minutes=1), ran.append)
    later = START + timedelta(days=30)
    await run(tmp_path, later, later + timedelta(minutes=1), ran.append)
    assert len(ran) == CATCH_UP
    assert ran[-1] == later.replace(minute=0)


async def test_a_failure_is_tried_again_and_given_up(tmp_path: Path) -> None:
    tries: list[datetime] = []

    def fail_at_eleven(instant: datetime) -> None:
        tries.append(instant)
        if instant.hour == 11:
            raise RuntimeError

    await run(tmp_path, START, START + timedelta(hours=2), fail_at_eleven)
    assert [instant.hour for instant in tries] == [11] * ATTEMPTS + [12]


async def test_only_the_handler_that_failed_runs_again(tmp_path: Path) -> None:
    calls: list[str] = []

    def flaky() -> None:
        calls.append("flaky")
        if calls.count("flaky") == 1:
            raise RuntimeError

    def steady() -> None:
        calls.append("steady")

    clock = FakeClock(START, START + timedelta(hours=1))
    marked = tuple(Handler(kind="schedule", name=name, function=f) for name, f in (("", flaky), ("0 * * * *", steady)))
    other = Handler(kind="schedule", name="5 5 * * *", function=lambda: calls.append("other"))
    ledger = Ledger(tmp_path)
    deliveries = Deliveries(Runner(Handlers(all=(*marked, other)), clock=clock), clock)
    await Schedule(HOURLY, deliveries, ledger, clock).run(clock.over)
    ledger.close()
    assert sorted(calls) == ["flaky", "flaky", "steady"]


def test_time_zones_and_summer_time() -> None:
    berlin = ScheduleTrigger(cron="30 8 * * *", timezone="Europe/Berlin")
    before = datetime(2026, 3, 28, 0, 0, tzinfo=UTC)
    found = list(islice(instants(berlin, before), 2))
    assert [instant.hour for instant in found] == [7, 6]
    assert all(instant.tzinfo is UTC for instant in found)


@pytest.mark.parametrize("trigger", [{"cron": "0 25 * * *"}, {"cron": "0 3 * * 1", "timezone": "Mars/Olympus"}])
def test_a_wrong_schedule_is_said(trigger: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match=trigger.get("timezone", "0 25")):
        instants(ScheduleTrigger(**trigger), START)


def test_a_decorator_with_and_without_a_crontab_line() -> None:
    @on_schedule
    def every() -> int:
        return 1

    @on_schedule("0  3 * * 1")
    def monday() -> int:
        return 2

    assert (every(), monday()) == (1, 2)


@pytest.mark.slow
@pytest.mark.timeout(100)
def test_by_the_machines_clock(machine: Machine) -> None:
    code = """
    from alien_iac.runtime import on_schedule
    @on_schedule("* * * * *")
    def tick(instant):
        with open("ticks", "a") as f:
            f.write(instant.isoformat() + "\\n")
    """
    machine.function(code, triggers=[{"kind": "schedule", "cron": "* * * * *"}])
    ticks = machine.folder / "ticks"
    eventually(ticks.exists, 75)
    assert datetime.fromisoformat(ticks.read_text().split()[0]).second == 0
    eventually(lambda: rows(machine.folder / "state" / "events.sqlite", "SELECT attempts FROM instants") == [(0,)])
