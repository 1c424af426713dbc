"""What a rollout costs the control plane for each pull deployment: decisions, durable writes, effects by DBOS.

The control plane's own parts on a real folder, without HTTP. Sixteen threads stand for the agents' requests: each
deployment that is told of the release reports twice and shows that it is healthy. Two sizes, so that growth is seen.
"""

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import select

from alien_iac.control.collaborators import Control
from alien_iac.control.folder import DataFolder
from alien_iac.control.server import opened
from alien_iac.control.store import deployments, releases
from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import DESIRED
from alien_iac.protocol.api import Heartbeat, NewDeployment, Release, Report
from alien_iac.protocol.manifest import Blob, Manifest
from alien_iac.rollout import policy
from alien_iac.rollout.events import Reported, Seen
from alien_iac.rollout.plan import Order
from figure import Figure

FEW, MANY = 200, 2_000
THREADS = 16
VERSION = "2.0"
PATH = f"releases/{VERSION}/manifest.json"
RULES = policy.parse({"waves": [{"name": "all"}], "max_concurrent": 100, "verify": {"successes": 1}})
PAUSE_S = 0.01


def measure() -> Iterator[Figure]:
    """A small rollout and a large one, each on a fresh folder."""
    few, many = milliseconds_each(FEW), milliseconds_each(MANY)
    yield Figure(f"rollout of {MANY:,}, each pull deployment", f"{many:.1f} ms", "<= 5 ms", many <= 5)  # noqa: PLR2004 - the target
    growth = many / few
    yield Figure(f"the same beside one of {FEW}", f"{growth:.2f} x", "<= 1.5 x: linear", growth <= 1.5)  # noqa: PLR2004 - the target


def milliseconds_each(count: int) -> float:
    """The wall time of a whole rollout, divided by its deployments."""
    with tempfile.TemporaryDirectory(prefix="alien-bench-") as folder, opened(DataFolder(Path(folder))) as control:
        names = [f"dep_{number:05}" for number in range(count)]
        control.database.write_now(lambda transaction: _populate(transaction, names))
        release, everyone = control.database.read_now(
            lambda transaction: (releases.get(transaction, VERSION), list(deployments.every(transaction)))
        )
        begin = time.perf_counter()
        order = Order(rollout_id="ro_bench", release=release, policy=RULES, selector={})
        control.rollouts.start(order, everyone, "bench")
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda share: _Agents(control, release, share).live(), _shares(names)))
        ended = control.rollouts.load("ro_bench").state.header.outcome
        seconds = time.perf_counter() - begin
    if ended != "succeeded":
        raise RuntimeError(f"the rollout ended as {ended}")
    return 1000 * seconds / count


def _shares(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[number::THREADS] for number in range(THREADS)]


def _populate(transaction: Transaction, names: Sequence[str]) -> None:
    """Enrolled deployments that were just seen, and a release for them."""
    for name in names:
        deployments.add(transaction, name, NewDeployment(customer=name, platform="local"))
        deployments.enrolled(transaction, name, "1")
        deployments.beat(transaction, name, Heartbeat(agent_version="1", release="1.0", health="healthy"))
    bundle = Blob(path="program.zip", sha256="0" * 64, length=1)
    manifest = Manifest(
        vendor="bench", program="bench", version=VERSION, sequence=2, platforms=("local",), program_bundle=bundle
    )
    releases.add(transaction, manifest, PATH, "")


class _Agents:
    """A thread's share of the agents. What they do is what `routes.agents` does with their requests."""

    def __init__(self, control: Control, release: Release, names: Sequence[str]) -> None:
        self._control = control
        self._release = release
        self._names = names

    def live(self) -> None:
        """Until each was told, and is done."""
        left = list(self._names)
        while left:
            told = self._control.database.read_now(lambda transaction: _told(transaction, left))  # noqa: B023 - runs at once
            for name, revision in told:
                self._update(name, revision)
            left = [name for name in left if name not in dict(told)]
            if not told:
                threading.Event().wait(PAUSE_S)

    def _update(self, name: str, revision: int) -> None:
        for phase in ("applying", "succeeded"):
            report = Report.model_validate({"id": phase, "revision": revision, "phase": phase, "release": VERSION})
            self._control.rollouts.handle("ro_bench", Reported(deployment_id=name, report=report))
        seen = Seen(deployment_id=name, release=VERSION, health="healthy", at=self._control.clock())
        self._control.rollouts.handle("ro_bench", seen)


def _told(transaction: Transaction, names: Sequence[str]) -> list[tuple[str, int]]:
    """Those of these that are to run the release, with the revision that says so."""
    wanted = select(DESIRED).where(DESIRED.c.release == VERSION, DESIRED.c.deployment_id.in_(names))
    return [(row["deployment_id"], row["revision"]) for row in transaction.all(wanted)]
