"""An agent's folder, a control plane and a Pulumi that does what it is told: what `Applier` needs around it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.agent_control import DEPLOYMENT, URL, ControlPlane

from alien_iac.agent import say, trust
from alien_iac.agent.apply import Applier
from alien_iac.agent.client import Control, Credentials
from alien_iac.agent.health import Gate
from alien_iac.agent.place import Identity, Place, write
from alien_iac.agent.shelf import Laid
from alien_iac.agent.store import Store
from alien_iac.agent.updates import Plan
from alien_iac.errors import AlienError
from alien_iac.protocol.api import Desired, WorkloadHealth
from alien_iac.protocol.outputs import DeploymentOutputs, Health, Kept, Workload

GATE = Gate(successes=2, interval_s=0.01, deadline_s=0.2, report_s=0.5)
OUTPUTS = DeploymentOutputs(
    platform="local",
    workloads=(Workload(id="worker", type="worker", commands=True, health=Health(kind="heartbeat")),),
)


async def until(claim: Callable[[], bool]) -> None:
    """Wait, for at most ten seconds, until a claim is true."""
    for _ in range(5_000):
        if claim():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it did not come true")


@dataclass
class TestUpdates:
    """Pulumi, in what the agent sees of it. `broken` maps a version to the error of its update."""

    __test__ = False

    calls: list[str] = field(default_factory=list)
    broken: dict[str, AlienError] = field(default_factory=dict)
    unplannable: dict[str, AlienError] = field(default_factory=dict)
    plans: Plan = field(default_factory=lambda: Plan(packages=frozenset({"alien"})))
    frozen: tuple[str, ...] = ()
    on_up: Callable[[str], None] = lambda _: None

    def plan(self, laid: Laid) -> Plan:
        assert (laid.program / "__main__.py").is_file()
        if laid.release.version in self.unplannable:
            raise self.unplannable[laid.release.version]
        return self.plans

    def up(self, laid: Laid) -> DeploymentOutputs:
        version = laid.release.version
        self.calls.append(f"up {version}")
        self.on_up(version)
        if version in self.broken:
            raise self.broken[version]
        return OUTPUTS.model_copy(update={"frozen": self.frozen})

    def destroy(self, laid: Laid) -> tuple[Kept, ...]:
        self.calls.append(f"destroy {laid.release.version}")
        return (Kept(id="files", type="storage", place="/data/files"),)

    def unlock(self, laid: Laid) -> None:
        self.calls.append(f"unlock {laid.release.version}")


@dataclass
class TestDoctor:
    """`ill` has the versions that are not well."""

    __test__ = False

    ill: set[str] = field(default_factory=set)

    async def look(self, workload: Workload, release: str) -> WorkloadHealth:
        await asyncio.sleep(0)
        return WorkloadHealth(id=workload.id, health="unhealthy" if release in self.ill else "healthy", release=release)


class World:
    """One deployment; `want` carries out what the control plane would desire."""

    def __init__(self, folder: Path) -> None:
        self.plane = ControlPlane()
        self.vendor = self.plane.vendor
        self.place = Place(folder)
        write(self.place.tuf / "first-root.json", self.vendor.first_root)
        write(self.place.say, say.DEFAULT_TEXT.encode())
        self.updates, self.doctor = TestUpdates(), TestDoctor()
        self.newest = 0
        self.open()

    def open(self) -> None:
        """Start the agent, as after a restart."""
        credentials = Credentials(DEPLOYMENT, self.plane.private_key)
        self.store = Store(self.place.state)
        self.control = Control(URL, credentials, transport=self.plane.transport())
        self.applier = Applier(
            place=self.place,
            identity=Identity(
                control_plane=URL, deployment_id=DEPLOYMENT, customer="acme", platform="local", prefix="acme-123456"
            ),
            store=self.store,
            control=self.control,
            updates=self.updates,
            doctor=self.doctor,
            gate=GATE,
            open_repository=self._repository,
            newest=lambda: self.newest,
        )

    async def want(self, revision: int, manifest: str | None, **more: object) -> None:
        self.newest = max(self.newest, revision)
        desired = Desired.model_validate({"revision": revision, "manifest": manifest, **more})
        carrying = asyncio.create_task(self.applier.carry_out(desired))
        while not carrying.done():  # the control plane is heard from all the while
            await asyncio.sleep(0.01)
            if not self.plane.down:
                await self.control.desired(after=-1)
        await carrying

    def phases(self, revision: int) -> list[str]:
        return [report.phase for report in self.store.reports() if report.revision == revision]

    async def close(self) -> None:
        await self.control.close()
        self.store.close()

    @contextmanager
    def _repository(self, bearer: str) -> Iterator[trust.Repository]:
        with trust.Repository(self.place, URL, bearer, self.plane.transport()) as repository:
            yield repository
