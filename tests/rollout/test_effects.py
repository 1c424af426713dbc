"""The outbox and the timers on real DBOS, in processes that are killed in the middle."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rollout.rollout_store import SqliteStore
from rollout.rollout_world import CANARY, REST, deployment, policy, release

from alien_iac.errors import Conflict
from alien_iac.protocol.api import Deployment, Report
from alien_iac.rollout.effects import Runner
from alien_iac.rollout.events import Notify, Reported, Return, Seen, SetDesired
from alien_iac.rollout.places import FilePlace
from alien_iac.rollout.plan import Order
from alien_iac.rollout.policy import Policy, Wave
from alien_iac.rollout.service import Rollouts
from alien_iac.rollout.store import Pending
from alien_iac.rollout.summary import word

ROOT = Path(__file__).parents[2]


class Fleet:
    """Agents that obey at once, through the same store as the runner."""

    def __init__(self, store: SqliteStore, count: int) -> None:
        self.store = store
        self.rollouts = Rollouts(store)
        self.keys = [f"d{n}" for n in range(count)]
        self.seen_revision = dict.fromkeys(self.keys, 0)
        self.release: dict[str, str] = dict.fromkeys(self.keys, "v1")

    def deployments(self) -> list[Deployment]:
        return [deployment(key, last_seen=datetime.now(UTC)) for key in self.keys]

    def start(self, rules: Policy) -> None:
        order = Order(rollout_id="r1", release=release(), policy=rules, selector={})
        self.rollouts.start(order, self.deployments(), "ann")

    def obey(self) -> None:
        for key in self.keys:
            wish = self.store.desired(key)
            if wish and int(str(wish[0])) > self.seen_revision[key]:
                self.seen_revision[key] = int(str(wish[0]))
                self.release[key] = str(wish[1])
                self.report(key)
            self.beat(key)

    def report(self, key: str) -> None:
        revision = self.seen_revision[key]
        report = Report(id=f"{key}-{revision}", revision=revision, phase="succeeded", release=self.release[key])
        self.rollouts.handle("r1", Reported(deployment_id=key, report=report))

    def beat(self, key: str) -> None:
        sign = Seen(deployment_id=key, release=self.release[key], health="healthy", at=datetime.now(UTC))
        self.store.hear(sign)
        self.rollouts.handle("r1", sign)

    def until_it_ends(self, seconds: float = 60) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.obey()
            if self.rollouts.load("r1").state.header.outcome is not None:
                break
            time.sleep(0.02)
        return word(self.rollouts.load("r1").state)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "store.sqlite")
    yield opened
    opened.close()


@contextmanager
def running(store: SqliteStore, folder: Path) -> Iterator[Rollouts]:
    ring = threading.Event()
    rollouts = Rollouts(store, changed=ring.set)

    def notify(rollout_id: str, note: Notify) -> None:
        store.note(rollout_id, note.subject, note.message)

    runner = Runner(
        rollouts=rollouts,
        store=store,
        place=FilePlace(folder / "runner"),
        signal=ring,
        notify=notify,
        poll_seconds=0.05,
    )
    runner.start()
    try:
        yield rollouts
    finally:
        runner.stop()


def process(folder: Path, pause: float) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    child = subprocess.Popen(
        [sys.executable, "-m", "rollout.rollout_process", str(folder), str(pause)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    if child.stdout is None or child.stdout.readline() != "ready\n":
        kill(child)
        raise RuntimeError("the runner's process did not start")
    return child


def kill(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.communicate()


def writes(store: SqliteStore) -> list[tuple[object, ...]]:
    return store.rows("SELECT deployment, release, action FROM writes ORDER BY deployment, n")


def test_a_rollout_goes_through_with_its_timers_and_tells_people(store: SqliteStore, tmp_path: Path) -> None:
    fleet = Fleet(store, 3)
    canary = CANARY.model_copy(update={"bake": timedelta(seconds=1)})
    with running(store, tmp_path):
        fleet.start(policy(canary, REST))
        assert fleet.until_it_ends(20) == "succeeded"
    assert writes(store) == [(key, "v2", "apply") for key in fleet.keys]
    with running(store, tmp_path):
        deadline = time.monotonic() + 5
        while store.pending(1) and time.monotonic() < deadline:
            time.sleep(0.02)
    assert store.rows("SELECT subject, message FROM notes") == [("ended", "3/3 updated")]


def test_a_deadline_passes_without_any_event(store: SqliteStore, tmp_path: Path) -> None:
    fleet = Fleet(store, 1)
    with running(store, tmp_path):
        fleet.start(policy(Wave(name="all"), reach_within="1s"))
        end = time.monotonic() + 10
        while store.running() and time.monotonic() < end:
            time.sleep(0.05)
    assert word(store.load("r1").state) == "halted"
    assert store.load("r1").state.targets["d0"].state == "unreachable"


def test_a_second_runner_of_the_same_folder_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    child = process(tmp_path, 0)
    try:
        with pytest.raises(Conflict, match="another process runs the rollouts"), running(store, tmp_path):
            pass
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
        child.communicate()


class FailingStore(SqliteStore):
    """Fails its first few attempts to write a desired release."""

    failures = 0

    def set_desired(self, effects: Sequence[tuple[Pending, SetDesired | Return]]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full")
        super().set_desired(effects)


@pytest.mark.slow
def test_effects_wait_for_a_store_that_fails_however_long(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = FailingStore(tmp_path / "store.sqlite")
    store.failures = 7  # more than one workflow tries by itself
    fleet = Fleet(store, 2)
    with running(store, tmp_path):
        fleet.start(policy(CANARY, REST))
        assert fleet.until_it_ends(40) == "succeeded"
    assert writes(store) == [(key, "v2", "apply") for key in fleet.keys]
    assert "the effects of rollouts are delayed" in caplog.text
    store.close()


@pytest.mark.slow
def test_a_runner_that_is_killed_again_and_again_does_every_effect_once(store: SqliteStore, tmp_path: Path) -> None:
    fleet = Fleet(store, 6)
    canary = CANARY.model_copy(update={"bake": timedelta(seconds=1)})
    fleet.start(policy(canary, REST, max_concurrent=2))
    for nap in (0.05, 0.2, 0.35, 0.6, 0.9):
        child = process(tmp_path, 0.15)
        end = time.monotonic() + nap
        while time.monotonic() < end:
            fleet.obey()
            time.sleep(0.02)
        kill(child)
    child = process(tmp_path, 0)
    try:
        assert fleet.until_it_ends() == "succeeded"
        end = time.monotonic() + 10
        while store.pending(1) and time.monotonic() < end:
            time.sleep(0.05)
    finally:
        kill(child)
    assert writes(store) == [(key, "v2", "apply") for key in fleet.keys]
    assert not store.pending(1)
    assert ("ended", "6/6 updated") in store.rows("SELECT subject, message FROM notes")
