"""A broken release never gets further than the canary, and a person can steer, take back and hold."""

import pytest
from system.system_fleet import POLICY, STORE, Fleet

from alien_iac.protocol.api import Release, Rollout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

BROKEN_CHECK = {"before": "    return None", "after": '    raise RuntimeError("the index is gone")'}
STEPS = """\
waves:
  - {name: canary, size: 1, canary: true, bake: 1h}
  - {name: second, size: 1, approval: {}}
  - {name: rest}
verify: {successes: 1, failures: 2, every: 1s, fresh: 10s, deadline: 30s}
"""


def taken_back(fleet: Fleet, rollout: Rollout, before: str) -> Rollout:
    """A rollout that ended on its canary, of which nobody else has heard: neither a state nor a store says so."""
    done = fleet.ended(rollout)
    assert done.state == "halted", fleet.says()
    states = {target.wave: target.state for target in done.targets}
    assert states == {"canary": "returned", "rest": "cancelled"}
    (canary,) = [target.customer for target in done.targets if target.wave == "canary"]
    for customer in set(fleet.customers) - {canary}:
        assert done.release not in fleet.known(customer)
        assert not fleet.has_bytes_of(customer, done.release)
    fleet.assert_whole(before)
    return done


def versions(fleet: Fleet) -> set[str]:
    return {one.version for one in fleet.world.remote.pages(Release, "/releases")}


def steer(fleet: Fleet, *words: str) -> Rollout:
    return Rollout.model_validate(fleet.world.alien("rollout", *words))


def test_a_release_that_is_not_healthy_is_caught_on_the_canary(fleet: Fleet) -> None:
    before = fleet.common()
    done = taken_back(fleet, fleet.release(**BROKEN_CHECK), before)
    (message,) = [target.message for target in done.targets if target.state == "returned"]
    assert "worker is unhealthy (RuntimeError at " in message
    told = fleet.world.run("rollout", "status", "--follow")
    assert told.returncode == 10
    assert "the index is gone" not in told.stdout + told.stderr


def test_a_release_whose_container_crashes_at_once(fleet: Fleet) -> None:
    before = fleet.common()
    fleet.write("stacks/store/main.py", STORE.replace("    serve(", "    os._exit(3) or serve("))
    try:
        done = taken_back(fleet, fleet.release(), before)
    finally:
        fleet.write("stacks/store/main.py", STORE)
    (message,) = [target.message for target in done.targets if target.state == "returned"]
    assert "'store' was started, but" in message


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("import alien_iac as alien\n\nalien.Storage('files')\nraise LookupError('no such shelf')\n", "no such shelf"),
        ("import alien_iac as alien\n\nalien.Storage('Bad_Name')\nalien.Queue('q', max_receives=1)\n", "Bad_Name"),
    ],
    ids=["raises", "refused"],
)
def test_a_program_that_cannot_be_built_is_one_message_and_no_release(fleet: Fleet, program: str, says: str) -> None:
    before, recorded = fleet.common(), versions(fleet)
    kept = fleet.program
    fleet.write("stacks/__main__.py", program)
    try:
        done = fleet.world.run("release", "never", "--project", str(fleet.world.project))
    finally:
        fleet.write("stacks/__main__.py", kept)
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert says in said
    assert "Traceback" not in said
    assert versions(fleet) == recorded
    assert fleet.common() == before


def test_a_pinned_deployment_is_left_alone_and_a_rollback_takes_the_rest_back(fleet: Fleet) -> None:
    before = fleet.common()
    fleet.world.alien("pin", "acme")
    rollout = fleet.ended(fleet.release())
    assert rollout.state == "succeeded"
    assert {one.customer: one.release for one in fleet.deployments().values()} == {
        "acme": before,
        "globex": rollout.release,
        "initech": rollout.release,
    }
    fleet.world.alien("pin", "acme", "--off")
    told = fleet.world.run("rollback", "--reason", "a customer asked for it")
    assert told.returncode == 0, told.stderr
    fleet.assert_whole(before)


def test_a_person_steers_a_rollout_by_hand(fleet: Fleet) -> None:
    rollout = fleet.release(policy=STEPS)
    waves = {target.wave: target.customer for target in rollout.targets}
    fleet.until(lambda: fleet.rollout(rollout.id).state == "baking")
    assert steer(fleet, "pause").state == "paused"
    steer(fleet, "resume")
    steer(fleet, "promote")
    fleet.until(lambda: "approval" in fleet.rollout(rollout.id).state)
    steer(fleet, "skip", "--deployment", waves["rest"])
    refused = fleet.world.run("rollout", "promote")
    assert (refused.returncode, "no wave is baking" in refused.stderr) == (4, True)
    steer(fleet, "approve", "--reason", "looks well")
    done = fleet.ended(rollout)
    assert done.state == "succeeded"
    assert {target.customer: target.state for target in done.targets} == {
        waves["canary"]: "succeeded",
        waves["second"]: "succeeded",
        waves["rest"]: "skipped",
    }
    assert fleet.world.alien("audit", "verify")["whole"]


def test_an_aborted_rollout_goes_on_after_a_retry(fleet: Fleet) -> None:
    rollout = fleet.release(policy=POLICY.replace("bake: 1s", "bake: 1h"))
    fleet.until(lambda: fleet.rollout(rollout.id).state == "baking")
    steer(fleet, "abort")
    assert fleet.ended(rollout).state == "aborted"
    steer(fleet, "retry")
    fleet.until(lambda: fleet.rollout(rollout.id).state == "succeeded")
    fleet.assert_whole(rollout.release)
