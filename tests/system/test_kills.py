"""kill -9 in the middle of a rollout of three customers: it ends by itself in the right state, nothing twice."""

import os
import signal

import pytest
from system.system_fleet import Fleet, children, command_line, supervisors

from alien_iac.cli.demonstration.world import CONTROL_PLANE
from alien_iac.protocol.api import Rollout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def applying(fleet: Fleet, rollout: Rollout) -> str:
    """The customer whose agent brings the release up, as soon as one does."""
    found: list[str] = []

    def one_applies() -> bool:
        works = {customer: fleet.work(customer) for customer in fleet.customers}
        found[:] = [one for one, work in works.items() if work and work.phase == "applying"]
        return bool(found)

    fleet.until(one_applies, pause_s=0.02)
    assert fleet.rollout(rollout.id).ended_at is None
    return found[0]


def child_of(fleet: Fleet, customer: str, program: str) -> int:
    """A process that the agent of a customer has started for its update, as soon as there is one."""
    agent = fleet.world.processes.running[customer].pid
    found: list[int] = []

    def there() -> bool:
        found[:] = [pid for pid in children(agent) if program in command_line(pid)]
        return bool(found)

    fleet.until(there, pause_s=0.02)
    return found[0]


def ends_well(fleet: Fleet, rollout: Rollout) -> None:
    done = fleet.ended(rollout)
    assert done.state == "succeeded", (done, fleet.says())
    fleet.assert_whole(done.release)


def test_the_control_plane(fleet: Fleet) -> None:
    rollout = fleet.release()
    customer = applying(fleet, rollout)
    fleet.world.processes.kill(CONTROL_PLANE)
    told = fleet.world.run("deployments", "ls")
    assert told.returncode == 7
    assert f"the control plane at {fleet.world.url} does not answer" in told.stderr
    assert "Traceback" not in told.stderr
    fleet.until(lambda: (work := fleet.work(customer)) and work.phase == "verifying")
    fleet.world.serve()
    ends_well(fleet, rollout)


def test_an_agent(fleet: Fleet) -> None:
    rollout = fleet.release()
    customer = applying(fleet, rollout)
    child_of(fleet, customer, "alien_iac.host")
    fleet.world.processes.kill(customer)
    fleet.world.run_agent(customer)
    ends_well(fleet, rollout)


def test_every_workload(fleet: Fleet) -> None:
    rollout = fleet.release()
    customer = applying(fleet, rollout)
    for pids in fleet.processes(customer).values():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    ends_well(fleet, rollout)


def test_a_supervisor(fleet: Fleet) -> None:
    rollout = fleet.release()
    for customer in (applying(fleet, rollout), *fleet.customers):
        for pid in supervisors(fleet.data(customer)):
            os.kill(pid, signal.SIGKILL)
    ends_well(fleet, rollout)


def test_the_plugin_in_the_middle_of_an_operation(fleet: Fleet) -> None:
    rollout = fleet.release()
    customer = applying(fleet, rollout)
    fleet.until(lambda: fleet.pending(customer), pause_s=0.01)
    os.kill(child_of(fleet, customer, "pulumi-resource-alien"), signal.SIGKILL)
    ends_well(fleet, rollout)


def test_the_child_that_runs_the_stack_program(fleet: Fleet) -> None:
    rollout = fleet.release()
    customer = applying(fleet, rollout)
    os.kill(child_of(fleet, customer, "alien_iac.host"), signal.SIGKILL)
    ends_well(fleet, rollout)


def test_a_workload_with_a_message_in_work(fleet: Fleet) -> None:
    customer = fleet.customers[0]
    release = fleet.deployments()[customer].release or ""
    text = f"slow{fleet.number}"
    fleet.ask(customer, "send", text=text, seconds=4)
    fleet.until(lambda: fleet.ask(customer, "seen", text=text), pause_s=0.5)
    (before,) = fleet.processes(customer)["worker"]
    os.kill(before, signal.SIGKILL)

    def ended() -> bool:
        return any(one.startswith("ended") for one in fleet.ask(customer, "seen", text=text))

    fleet.until(ended, pause_s=0.5)
    seen = fleet.ask(customer, "seen", text=text)
    (after,) = fleet.processes(customer)["worker"]
    assert sorted(seen) == sorted([f"begun.{before}.1", f"begun.{after}.2", f"ended.{after}.2"])
    fleet.assert_whole(release)
