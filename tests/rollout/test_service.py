"""Many writers at once, newer rollouts over older ones, and a fleet of two thousand."""

import threading
import time
from datetime import UTC, datetime

import pytest
from rollout.rollout_store import SqliteStore
from rollout.rollout_world import deployments, policy, release

from alien_iac.errors import Conflict, InvalidInput, NotFound
from alien_iac.protocol.api import Deployment, Report, RolloutAction
from alien_iac.rollout.events import Reported, Seen
from alien_iac.rollout.plan import Order
from alien_iac.rollout.policy import Policy, Wave
from alien_iac.rollout.service import Rollouts
from alien_iac.rollout.summary import word

ALL = policy(Wave(name="all"), max_concurrent="100%")


def order(rollout_id: str = "r1", rules: Policy = ALL, version: str = "v2") -> Order:
    return Order(rollout_id=rollout_id, release=release(version), policy=rules, selector={})


def fleet(count: int) -> list[Deployment]:
    now = datetime.now(UTC)
    return [each.model_copy(update={"last_seen": now}) for each in deployments(count)]


def succeed(rollouts: Rollouts, key: str, rollout_id: str = "r1") -> None:
    report = Report(id="x", revision=1, phase="succeeded", release="v2")
    rollouts.handle(rollout_id, Reported(deployment_id=key, report=report))
    rollouts.handle(rollout_id, Seen(deployment_id=key, release="v2", health="healthy", at=datetime.now(UTC)))


def test_events_from_many_threads_and_instances_are_all_counted() -> None:
    store = SqliteStore(":memory:")
    instances = [Rollouts(store) for _ in range(4)]
    instances[0].start(order(), fleet(40), "ann")

    def work(mine: Rollouts, first: int) -> None:
        for n in range(first, 40, 4):
            succeed(mine, f"d{n:04}")

    threads = [threading.Thread(target=work, args=(mine, n)) for n, mine in enumerate(instances)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert word(instances[0].load("r1").state) == "succeeded"
    store.close()


def test_a_newer_rollout_takes_over_in_the_same_commit() -> None:
    store = SqliteStore(":memory:")
    rollouts = Rollouts(store)
    rollouts.start(order("r1"), fleet(3), "ann")
    rollouts.start(order("r2", version="v3"), fleet(3), "ann")
    assert word(rollouts.load("r1").state) == "superseded"
    assert store.running() == ["r2"]
    with pytest.raises(Conflict, match="the newer rollout r2"):
        rollouts.act("r1", RolloutAction(action="retry"), "ann")
    store.close()


def test_every_change_is_in_the_audit_log() -> None:
    store = SqliteStore(":memory:")
    rollouts = Rollouts(store)
    rollouts.start(order(), fleet(1), "ann")
    rollouts.act("r1", RolloutAction(action="pause", reason="lunch"), "bob")
    succeed(rollouts, "d0000")
    lines = [str(body) for (body,) in store.rows("SELECT body FROM audit ORDER BY n")]
    for line, part in zip(lines, ["ann", "lunch", "agent:d0000", "seen healthy on v2"], strict=True):
        assert part in line
    store.close()


def test_what_cannot_be_done_is_an_error() -> None:
    store = SqliteStore(":memory:")
    rollouts = Rollouts(store)
    with pytest.raises(NotFound):
        rollouts.load("r1")
    with pytest.raises(InvalidInput):
        rollouts.start(order(), [], "ann")
    rollouts.start(order(), fleet(1), "ann")
    with pytest.raises(Conflict, match="there is a rollout r1 already"):
        rollouts.start(order(), fleet(1), "ann")
    with pytest.raises(Conflict, match="the rollout is not paused"):
        rollouts.act("r1", RolloutAction(action="resume"), "ann")
    store.close()


def seconds_each(count: int) -> float:
    """The bookkeeping of one deployment in a fleet of so many, in seconds."""
    store = SqliteStore(":memory:", synchronous="OFF")
    rollouts = Rollouts(store)
    begin = time.process_time()
    rollouts.start(order(rules=policy(Wave(name="all"), max_concurrent=50)), fleet(count), "ann")
    for n in range(count):
        succeed(rollouts, f"d{n:04}")
    spent = time.process_time() - begin
    assert word(rollouts.load("r1").state) == "succeeded"
    store.close()
    return spent / count


@pytest.mark.slow
def test_two_thousand_deployments_cost_little_more_each_than_two_hundred() -> None:
    few, many = seconds_each(200), seconds_each(2000)
    assert many < 0.005
    assert many < 2 * few
