"""Rollouts over HTTP and their store: what is asked for is stored whole, and agents' words reach the decisions."""

import asyncio

import pytest
from control.control_plane import Agent, Plane

from alien_iac.control.store.rollouts import RolloutStore
from alien_iac.errors import Conflict, NotFound
from alien_iac.rollout.audit import audit
from alien_iac.rollout.events import Return, SetDesired, Started
from alien_iac.rollout.store import Change, Stored, Write

POLICY = {"waves": [{"name": "all"}], "verify": {"successes": 1}}


async def _deliver(plane: Plane) -> None:
    """What the runner does: the outbox's effects, in their order."""
    store = RolloutStore(plane.control.database)

    def work() -> None:
        pending = store.pending(100)
        store.set_desired([(each, each.effect) for each in pending if isinstance(each.effect, SetDesired | Return)])
        store.done([each.id for each in pending])

    await asyncio.to_thread(work)


async def _ready(plane: Plane, customer: str) -> Agent:
    agent = await plane.agent(customer)
    await agent.beat(None, "unknown")
    return agent


async def test_a_rollout_reaches_its_agent_and_ends(plane: Plane) -> None:
    agent = await _ready(plane, "acme")
    path = await plane.vendor_release("1.0", 1)
    made = await plane.ok("POST", "/rollouts", {"release": "1.0", "policy": POLICY, "reason": "first"})
    assert made["version"] == 1
    assert [target["customer"] for target in made["targets"]] == ["acme"]
    await _deliver(plane)
    wanted = await agent.desired()
    assert (wanted["revision"], wanted["manifest"], wanted["rolloutId"]) == (1, path, made["id"])
    held = asyncio.create_task(plane.ok("GET", f"/rollouts/{made['id']}", params={"wait": 20, "after": 1}))
    await asyncio.sleep(0.05)
    for phase in ("applying", "succeeded"):
        answer = await agent.report(1, phase, release="1.0", rolloutId=made["id"])
        assert answer.status_code == 204
    assert (await asyncio.wait_for(held, 5))["version"] > 1
    plane.clock.advance(1)
    await agent.beat("1.0")
    ended = await plane.ok("GET", f"/rollouts/{made['id']}")
    assert ended["state"] == "succeeded"
    deployment = await plane.ok("GET", f"/deployments/{agent.deployment_id}")
    assert (deployment["status"], deployment["release"], deployment["health"]) == ("running", "1.0", "healthy")
    assert (await plane.ok("GET", "/rollouts"))["items"][0]["id"] == made["id"]


async def test_a_report_is_taken_once_and_old_ones_do_not_move_a_rollout(plane: Plane) -> None:
    agent = await _ready(plane, "acme")
    await plane.vendor_release("1.0", 1)
    made = await plane.ok("POST", "/rollouts", {"release": "1.0", "policy": POLICY})
    await _deliver(plane)
    body = {"id": "same", "revision": 1, "phase": "applying", "rolloutId": made["id"]}
    for _ in range(3):
        assert (await plane.call("POST", "/agent/reports", body, agent.token)).status_code == 204
    version = (await plane.ok("GET", f"/rollouts/{made['id']}"))["version"]
    assert (await agent.report(0, "failed", rolloutId=made["id"])).status_code == 204
    assert (await plane.ok("GET", f"/rollouts/{made['id']}"))["version"] == version


async def test_the_same_key_begins_one_rollout_and_acts_once(plane: Plane) -> None:
    await _ready(plane, "acme")
    await plane.vendor_release("1.0", 1)
    body, headers = {"release": "1.0", "policy": POLICY}, {"Idempotency-Key": "k"}
    first = await plane.ok("POST", "/rollouts", body, headers=headers)
    assert (await plane.ok("POST", "/rollouts", body, headers=headers))["id"] == first["id"]
    assert (await plane.call("POST", "/rollouts", {**body, "reason": "x"}, headers=headers)).status_code == 409
    path = f"/rollouts/{first['id']}/actions"
    paused = await plane.ok("POST", path, {"action": "pause"}, headers=headers)
    assert paused["state"] == "paused"
    assert await plane.ok("POST", path, {"action": "pause"}, headers=headers) == paused


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"release": "9.9"}, 404),
        ({"release": "1.0", "selector": {"tier": "none"}}, 400),
        ({"release": "1.0", "policy": {"waves": []}}, 400),
        ({"release": "1.0", "policy": {"unknown": 1}}, 400),
        ({"release": "1.0", "policy": {"max_targets": 1}}, 400),
    ],
)
async def test_a_rollout_that_makes_no_sense_is_refused(plane: Plane, body: dict[str, object], status: int) -> None:
    for customer in ("a", "b"):
        await _ready(plane, customer)
    await plane.vendor_release("1.0", 1)
    assert (await plane.call("POST", "/rollouts", body)).status_code == status
    assert (await plane.ok("GET", "/rollouts"))["items"] == []


async def test_a_pinned_deployment_is_left_alone(plane: Plane) -> None:
    agent = await _ready(plane, "acme")
    await plane.vendor_release("1.0", 1)
    await plane.vendor_release("2.0", 2)
    await plane.ok("POST", "/rollouts", {"release": "2.0", "policy": POLICY})
    path = f"/deployments/{agent.deployment_id}/pin"
    assert (await plane.ok("PUT", path, {"release": "1.0"}))["pinned"] == "1.0"
    await _deliver(plane)
    assert "1.0" in (await agent.desired())["manifest"]
    assert "pinned" not in await plane.ok("PUT", path, {"release": None})
    assert (await plane.call("PUT", path, {"release": "9.9"})).status_code == 404


async def test_the_store_compares_and_swaps(plane: Plane) -> None:
    await _ready(plane, "acme")
    await plane.vendor_release("1.0", 1)
    made = await plane.ok("POST", "/rollouts", {"release": "1.0", "policy": POLICY})
    store = RolloutStore(plane.control.database)
    stored = await asyncio.to_thread(store.load, made["id"])
    change = plane.control.rollouts.load(made["id"])
    assert stored.state == change.state
    late = _write(made["id"], stored, expected=7)
    before = await plane.ok("GET", "/audit/verify")
    for writes in ([late], [_write(made["id"], stored, expected=1), late], [_write(made["id"], stored, expected=0)]):
        with pytest.raises(Conflict):
            await asyncio.to_thread(store.commit, writes)
    assert await asyncio.to_thread(store.version, made["id"]) == 1
    assert await plane.ok("GET", "/audit/verify") == before
    with pytest.raises(NotFound):
        await asyncio.to_thread(store.load, "ro_none")


def _write(rollout_id: str, stored: Stored, expected: int) -> Write:
    line = audit(Started(actor="x"), stored.state, stored.state.header.created_at)
    change = Change(header=stored.state.header, targets=(), audit=line, effects=())
    return Write(rollout_id=rollout_id, expected_version=expected, change=change)


async def test_effects_that_come_late_or_again_change_nothing(plane: Plane) -> None:
    agent = await _ready(plane, "acme")
    for number in (1, 2):
        await plane.vendor_release(f"{number}.0", number)
    store = RolloutStore(plane.control.database)
    await plane.ok("POST", "/rollouts", {"release": "1.0", "policy": POLICY})
    first = [each for each in await asyncio.to_thread(store.pending, 10) if isinstance(each.effect, SetDesired)]
    await plane.ok("POST", "/rollouts", {"release": "2.0", "policy": POLICY})
    await _deliver(plane)
    wanted = await agent.desired()
    assert "2.0" in wanted["manifest"]
    again = [(each, each.effect) for each in first if isinstance(each.effect, SetDesired)]
    await asyncio.to_thread(store.set_desired, again)
    assert await agent.desired() == wanted
    assert await asyncio.to_thread(store.pending, 10) == []
