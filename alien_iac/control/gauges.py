"""What Prometheus is told: counts of this process, and of what the database has, taken when it asks."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import func, select

from alien_iac.control.collaborators import Control
from alien_iac.control.store import fleet, releases, telemetry
from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import COMMANDS, OUTBOX, ROLLOUTS
from alien_iac.protocol import arc
from alien_iac.protocol.tuf import Metadata, Timestamp


async def text(control: Control) -> bytes:
    """All of them, in Prometheus's text format."""
    stored = await control.database.read(lambda transaction: list(_stored(transaction)))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once([*_process(control), *stored]))
    return generate_latest(registry)


class _Once:
    """A collector of what was counted before."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        yield from self._found


def _process(control: Control) -> Iterator[Metric]:
    database = control.database
    yield CounterMetricFamily("alien_writes", "Transactions that this instance wrote.", value=database.writes)
    yield CounterMetricFamily("alien_commits", "Commits that they shared.", value=database.commits)
    yield GaugeMetricFamily("alien_held_requests", "Requests that are held now.", value=control.waiting.held)


def _stored(transaction: Transaction) -> Iterator[Metric]:
    yield _labelled(
        "alien_deployments", "Deployments that are not gone.", "health", fleet.look(transaction, fleet.Look()).counts
    )
    yield from _commands(transaction)
    running = select(func.count()).select_from(ROLLOUTS).where(ROLLOUTS.c.outcome.is_(None))
    yield GaugeMetricFamily("alien_rollouts_running", "Rollouts that have not ended.", transaction.scalar(running))
    effects = select(func.count()).select_from(OUTBOX).where(OUTBOX.c.done.is_(False))
    yield GaugeMetricFamily("alien_rollout_effects_pending", "Effects still to be done.", transaction.scalar(effects))
    waiting, lost = telemetry.state(transaction)
    yield GaugeMetricFamily("alien_telemetry_waiting", "Items that wait to be forwarded.", waiting)
    losses = CounterMetricFamily("alien_telemetry_lost", "Items that were not kept or forwarded.", labels=["reason"])
    for reason, count in lost.items():
        losses.add_metric([reason], count)
    yield losses
    yield from _expiry(transaction)


def _commands(transaction: Transaction) -> Iterator[Metric]:
    states = {"PENDING_UPLOAD": 0, "PENDING": 0, "DISPATCHED": 0}
    open_ = select(COMMANDS.c.state, func.count().label("n")).where(COMMANDS.c.state.not_in(arc.TERMINAL))
    states |= {row["state"]: row["n"] for row in transaction.all(open_.group_by(COMMANDS.c.state))}
    yield _labelled("alien_commands_open", "Commands that have not ended.", "state", states)
    oldest: datetime | None = transaction.scalar(
        select(func.min(COMMANDS.c.created_at)).where(COMMANDS.c.state == "PENDING")
    )
    age = (transaction.now - oldest).total_seconds() if oldest else 0
    yield GaugeMetricFamily("alien_command_oldest_pending_seconds", "Age of the oldest that nobody has leased.", age)


def _expiry(transaction: Transaction) -> Iterator[Metric]:
    repository = releases.repository(transaction)
    if repository is not None and repository.timestamp is not None:
        ends = Metadata[Timestamp].from_bytes(repository.timestamp).signed.expires
        left = (ends - transaction.now).total_seconds()
        yield GaugeMetricFamily("alien_timestamp_expires_seconds", "Until agents take no release from here.", left)


def _labelled(name: str, help_: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
