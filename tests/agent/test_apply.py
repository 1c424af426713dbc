"""What is desired, brought about: with real signatures and a real store, and a Pulumi that does as it is told."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from agent.agent_vendor import PROGRAM
from agent.agent_world import World, until

from alien_iac.agent.updates import Plan
from alien_iac.agent.work import Work
from alien_iac.errors import InvalidInput, Missing, Unavailable, Untrusted, UpdateFailed
from alien_iac.protocol.arc import Target

APPLIED = ["accepted", "applying", "verifying", "succeeded"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    yield world
    await world.close()


def running(world: World) -> str | None:
    return world.store.current.version if world.store.current else None


async def test_a_signed_release_is_applied_looked_at_and_confirmed(world: World) -> None:
    await world.want(1, world.vendor.release("1.0", 1))
    assert world.phases(1) == APPLIED
    assert running(world) == "1.0"
    last = world.store.reports()[-1]
    assert last.release == "1.0"
    assert last.targets == (Target(resource_id="worker", resource_type="worker"),)


async def test_a_revision_is_never_carried_out_twice(world: World) -> None:
    manifest = world.vendor.release("1.0", 1)
    await world.want(1, manifest)
    await world.want(1, manifest)
    assert world.updates.calls == ["up 1.0"]
    await world.want(2, manifest)
    assert world.phases(2) == ["accepted", "unchanged"]
    assert world.updates.calls == ["up 1.0"]


async def test_an_ill_release_is_taken_back(world: World) -> None:
    await world.want(1, world.vendor.release("1.0", 1))
    world.doctor.ill = {"2.0"}
    await world.want(2, world.vendor.release("2.0", 2))
    assert world.phases(2) == ["accepted", "applying", "verifying", "returned"]
    assert world.updates.calls == ["up 1.0", "up 2.0", "up 1.0"]
    assert running(world) == "1.0"
    last = world.store.reports()[-1]
    assert last.release == "1.0"
    assert "worker is unhealthy" in last.reason


async def test_an_update_that_fails_is_taken_back(world: World) -> None:
    await world.want(1, world.vendor.release("1.0", 1))
    world.updates.broken["2.0"] = UpdateFailed("worker: port 80 is taken")
    await world.want(2, world.vendor.release("2.0", 2))
    assert world.phases(2) == ["accepted", "applying", "returned"]
    assert "port 80 is taken" in world.store.reports()[-1].reason


async def test_what_the_checks_refuse_changes_nothing(world: World) -> None:
    await world.want(1, world.vendor.release("1.0", 1))
    world.updates.broken["2.0"] = InvalidInput("the stack has 1 error(s)")
    await world.want(2, world.vendor.release("2.0", 2))
    assert world.phases(2)[-1] == "failed"
    assert world.updates.calls == ["up 1.0", "up 2.0"]


async def test_after_a_failed_way_back_the_same_release_is_applied_again(world: World) -> None:
    v1 = world.vendor.release("1.0", 1)
    await world.want(1, v1)
    world.doctor.ill = {"1.0", "2.0"}
    await world.want(2, world.vendor.release("2.0", 2))
    assert world.phases(2)[-1] == "failed"
    world.doctor.ill = set()
    await world.want(3, v1)
    assert world.phases(3) == APPLIED


async def test_a_release_that_cuts_the_agent_off_is_taken_back(world: World) -> None:
    await world.want(1, world.vendor.release("1.0", 1))
    manifest = world.vendor.release("2.0", 2)
    world.updates.on_up = lambda version: setattr(world.plane, "down", version == "2.0")
    await world.want(2, manifest)
    assert world.phases(2)[-1] == "returned"
    assert "cannot be reached" in world.store.reports()[-1].reason


async def test_a_broken_signature_is_refused_and_the_current_release_stays(world: World) -> None:
    await world.want(1, world.vendor.release("1.0", 1))
    manifest = world.vendor.release("2.0", 2, {**PROGRAM, "new.py": ""})
    name = next(name for name in world.vendor.served if name.endswith("2.0.zip"))
    world.vendor.served[name] = b"x" + world.vendor.served[name][1:]
    await world.want(2, manifest)
    assert world.phases(2) == ["accepted", "refused"]
    last = world.store.reports()[-1]
    assert (last.error_code, last.release) == ("UNTRUSTED", "1.0")
    assert running(world) == "1.0"
    assert world.updates.calls == ["up 1.0"]


async def test_expired_metadata_is_refused_and_looked_at_again_when_it_is_fresh(world: World) -> None:
    world.vendor.life = timedelta(seconds=-1)
    manifest = world.vendor.release("1.0", 1)
    with pytest.raises(Untrusted, match="expired"):
        await world.want(1, manifest)
    assert world.phases(1) == ["accepted", "refused"]
    world.vendor.life = timedelta(days=1)
    world.vendor.stamp()
    await world.want(1, manifest)
    assert world.phases(1) == ["accepted", "refused", "applying", "verifying", "succeeded"]


async def test_an_older_release_is_refused_unless_it_is_the_last_healthy_one(world: World) -> None:
    v1, v2 = world.vendor.release("1.0", 1), world.vendor.release("2.0", 2)
    v3 = world.vendor.release("3.0", 3)
    for revision, manifest in enumerate((v1, v2, v3), start=1):
        await world.want(revision, manifest)
    await world.want(4, v1)
    assert world.phases(4)[-1] == "refused"
    await world.want(5, v2, action="return")
    assert world.phases(5)[-1] == "succeeded"
    await world.want(6, v1, action="return")
    assert world.phases(6)[-1] == "refused"
    assert running(world) == "2.0"


async def test_a_return_without_a_release_goes_to_the_last_healthy_one_once(world: World) -> None:
    await world.want(1, world.vendor.release("1.0", 1))
    await world.want(2, None, action="return")
    assert world.phases(2)[-1] == "failed"
    await world.want(3, world.vendor.release("2.0", 2))
    await world.want(4, None, action="return")
    assert world.phases(4)[-1] == "succeeded"
    assert running(world) == "1.0"


async def test_a_release_waits_for_the_customers_word(world: World) -> None:
    world.place.say.write_text("updates: approval")
    carrying = asyncio.create_task(world.want(1, world.vendor.release("1.0", 1)))
    await until(lambda: world.store.waiting is not None)
    assert world.phases(1) == ["accepted", "waiting"]
    assert world.updates.calls == []
    with pytest.raises(InvalidInput, match="revision 1 waits"):
        world.store.approve(2)
    world.store.approve(1)
    await carrying
    assert world.phases(1)[-1] == "succeeded"
    assert world.store.waiting is None


async def test_a_customers_file_that_is_broken_keeps_a_release_waiting(world: World) -> None:
    world.place.say.write_text("updates: [")
    carrying = asyncio.create_task(world.want(1, world.vendor.release("1.0", 1)))
    await until(lambda: world.store.waiting is not None)
    assert "not YAML" in world.store.reports()[-1].reason
    world.place.say.write_text("updates: auto")
    await carrying
    assert world.phases(1)[-1] == "succeeded"


async def test_a_release_that_needs_what_is_not_installed_has_failed(world: World) -> None:
    await world.want(1, world.vendor.release("1.0", 1))
    world.updates.unplannable["2.0"] = Missing("no resource plugin 'pulumi-resource-aws'")
    await world.want(2, world.vendor.release("2.0", 2))
    last = world.store.reports()[-1]
    assert (last.phase, last.error_code, last.release) == ("failed", "MISSING", "1.0")


async def test_a_killed_agent_whose_bytes_are_gone_goes_back_instead_of_hanging(world: World) -> None:
    await world.want(1, world.vendor.release("1.0", 1))
    await world.want(2, world.vendor.release("2.0", 2, {**PROGRAM, "new.py": ""}))
    v1, v2 = world.store.previous, world.store.current
    assert v2
    world.store.advance(Work.model_validate({"revision": 3, "phase": "applying", "to": v2, "back": v1}))
    for path in (world.place.releases, world.place.releases / "blobs"):
        (path / v2.manifest.program_bundle.sha256).rename(world.place.root / f"gone-{path.name}")
    resuming = asyncio.create_task(world.applier.resume())
    while not resuming.done():
        await world.control.desired(after=-1)
        await asyncio.sleep(0.01)
    await resuming
    assert world.phases(3)[-1] == "returned"
    assert "gone or was changed" in world.store.reports()[-1].reason


async def test_what_waits_gives_way_to_what_is_newer(world: World) -> None:
    world.place.say.write_text("updates: approval")
    carrying = asyncio.create_task(world.want(1, world.vendor.release("1.0", 1)))
    await until(lambda: world.store.waiting is not None)
    world.newest = 2
    await carrying
    assert world.store.settled is None
    assert world.store.waiting is None


async def test_a_package_that_the_customer_does_not_allow_is_refused(world: World) -> None:
    world.updates.plans = Plan(packages=frozenset({"alien", "command"}))
    await world.want(1, world.vendor.release("1.0", 1))
    last = world.store.reports()[-1]
    assert (last.phase, last.error_code) == ("refused", "FORBIDDEN")
    assert "command" in last.reason
    world.place.say.write_text("providers: [alien, command]")
    await world.want(2, world.vendor.release("2.0", 2))
    assert world.phases(2)[-1] == "succeeded"


async def test_a_release_that_touches_what_is_frozen_waits_for_the_customers_word(world: World) -> None:
    world.updates.frozen = ("files",)
    await world.want(1, world.vendor.release("1.0", 1))
    world.updates.plans = Plan(packages=frozenset({"alien"}), touched=frozenset({"worker"}))
    await world.want(2, world.vendor.release("2.0", 2))
    assert world.phases(2) == APPLIED
    world.updates.plans = Plan(packages=frozenset({"alien"}), touched=frozenset({"files", "worker"}))
    carrying = asyncio.create_task(world.want(3, world.vendor.release("3.0", 3)))
    await until(lambda: world.store.waiting is not None)
    waiting = world.store.waiting
    assert waiting
    assert (waiting.release, waiting.reason) == ("3.0", "approval: it touches files, which is frozen")
    assert running(world) == "2.0"
    world.store.approve(3)
    await carrying
    assert running(world) == "3.0"


async def test_a_deployment_is_taken_down_by_the_customers_word_alone(world: World) -> None:
    await world.want(1, world.vendor.release("1.0", 1))
    carrying = asyncio.create_task(world.want(2, None, action="destroy"))
    await until(lambda: world.store.waiting is not None)
    assert world.updates.calls == ["up 1.0"]
    world.store.approve(2)
    await carrying
    assert world.updates.calls == ["up 1.0", "destroy 1.0"]
    assert running(world) is None


async def test_a_control_plane_that_is_down_leaves_the_revision_for_later(world: World) -> None:
    manifest = world.vendor.release("1.0", 1)
    world.plane.down = True
    with pytest.raises(Unavailable):
        await world.want(1, manifest)
    world.plane.down = False
    await world.want(1, manifest)
    assert world.phases(1) == APPLIED


@pytest.mark.parametrize(
    ("phase", "calls", "ends"),
    [
        ("applying", ["unlock 2.0", "up 2.0"], "succeeded"),
        ("verifying", [], "succeeded"),
        ("returning", ["unlock 1.0", "up 1.0"], "returned"),
        ("checking", [], "returned"),
    ],
)
async def test_a_killed_agent_takes_up_where_it_was(world: World, phase: str, calls: list[str], ends: str) -> None:
    await world.want(1, world.vendor.release("1.0", 1))
    await world.want(2, world.vendor.release("2.0", 2))
    v1, v2 = world.store.previous, world.store.current
    left = Work.model_validate({"revision": 3, "phase": phase, "to": v2, "back": v1, "reason": "it broke"})
    world.store.advance(left)
    await world.close()
    world.open()
    world.updates.calls.clear()
    resuming = asyncio.create_task(world.applier.resume())
    while not resuming.done():
        await world.control.desired(after=-1)
        await asyncio.sleep(0.01)
    await resuming
    assert world.updates.calls == calls
    assert world.phases(3)[-1] == ends
    assert world.store.work is None
