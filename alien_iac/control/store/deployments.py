"""Deployments: who they are, what runs in them, and when their agents were last heard."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, cast

from sqlalchemy import RowMapping, Select, bindparam, insert, select, update

from alien_iac.control.store import paging
from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import DEPLOYMENTS, DESIRED
from alien_iac.errors import NotFound
from alien_iac.protocol import arc
from alien_iac.protocol.api import Deployment, HealthWord, Heartbeat, NewDeployment, Report, WorkloadHealth
from alien_iac.rollout.events import Seen

Status = Literal["enrolling", "new", "running", "updating", "failed", "waiting", "gone"]

FRESH = timedelta(minutes=1)
"""A sign of life older than this says nothing: the health is unknown."""

_ONE = select(DEPLOYMENTS).where(DEPLOYMENTS.c.id == bindparam("this"))
_BY_PHASE: Mapping[str, Status] = {
    "accepted": "updating",
    "applying": "updating",
    "verifying": "updating",
    "succeeded": "running",
    "unchanged": "running",
    "failed": "failed",
    "returned": "failed",
    "refused": "failed",
    "waiting": "waiting",
}


def add(transaction: Transaction, deployment_id: str, new: NewDeployment) -> None:
    """Store a deployment to be, with nothing desired of it yet."""
    transaction.run(
        insert(DEPLOYMENTS).values(
            id=deployment_id,
            customer=new.customer,
            platform=new.platform,
            labels=new.labels,
            created_at=transaction.now,
            health="unknown",
            stale=False,
            workloads=[],
            message="",
            commands=[],
            targets=[],
        )
    )
    transaction.run(
        insert(DESIRED).values(
            deployment_id=deployment_id, revision=0, action="apply", effect_sequence=0, updated_at=transaction.now
        )
    )


def row(transaction: Transaction, deployment_id: str) -> RowMapping:
    """The stored row. NotFound for an unknown deployment."""
    found = transaction.one(_ONE, {"this": deployment_id})
    if found is None:
        raise NotFound(f'there is no deployment "{deployment_id}"', hint="`alien deployments ls` lists them")
    return found


def get(transaction: Transaction, deployment_id: str) -> Deployment:
    """One deployment as the API shows it. NotFound for an unknown one."""
    row(transaction, deployment_id)
    found = transaction.one(joined().where(DEPLOYMENTS.c.id == deployment_id))
    return shown(transaction, cast("RowMapping", found))


def every(transaction: Transaction) -> Sequence[Deployment]:
    """All deployments, for the plan of a rollout."""
    return [shown(transaction, found) for found in transaction.all(joined())]


def rows(
    transaction: Transaction, only: str | None, customer: str | None, cursor: str | None, limit: int
) -> tuple[list[Deployment], str | None]:
    """Deployments, newest first; `only` is the one that the caller may see."""
    query = joined()
    query = query.where(DEPLOYMENTS.c.id == only) if only else query
    query = query.where(DEPLOYMENTS.c.customer == customer) if customer else query
    order = (DEPLOYMENTS.c.created_at, DEPLOYMENTS.c.id)
    found, following = paging.page(transaction, query, order, cursor, limit)
    return [shown(transaction, each) for each in found], following


def joined() -> Select[Any]:
    """Deployments with what is desired of them, as `shown` takes its rows."""
    return select(DEPLOYMENTS, DESIRED.c.release.label("desired_release"), DESIRED.c.revision).join_from(
        DEPLOYMENTS, DESIRED, DEPLOYMENTS.c.id == DESIRED.c.deployment_id
    )


def shown(transaction: Transaction, found: RowMapping) -> Deployment:
    """A row of `joined` as the API shows it."""
    heard = found["last_seen"] is not None and transaction.now - found["last_seen"] <= FRESH
    return Deployment(
        id=found["id"],
        customer=found["customer"],
        platform=found["platform"],
        labels=found["labels"],
        status=_status(found),
        release=found["release"],
        sequence=found["sequence"],
        desired_release=found["desired_release"],
        health=found["health"] if heard else "unknown",
        pinned=found["pinned"],
        agent_version=found["agent_version"],
        last_seen=found["last_seen"],
        message=found["message"],
        stale=found["stale"],
        workloads=tuple(WorkloadHealth.model_validate(each) for each in found["workloads"]),
    )


def _status(found: RowMapping) -> Status:
    if found["gone_at"]:
        return "gone"
    if not found["enrolled_at"]:
        return "enrolling"
    if not found["phase"]:
        return "running" if found["release"] else "new"
    return _BY_PHASE[found["phase"]]


def enrolled(transaction: Transaction, deployment_id: str, agent_version: str) -> None:
    """Note that a deployment's agent has enrolled."""
    values = {"enrolled_at": transaction.now, "agent_version": agent_version}
    transaction.run(update(DEPLOYMENTS).where(DEPLOYMENTS.c.id == deployment_id).values(values))


def gone(transaction: Transaction, deployment_id: str) -> None:
    """Note that a deployment is no more. Its history stays."""
    never = DEPLOYMENTS.c.gone_at.is_(None)
    transaction.run(update(DEPLOYMENTS).where(DEPLOYMENTS.c.id == deployment_id, never).values(gone_at=transaction.now))


def beat(transaction: Transaction, deployment_id: str, heartbeat: Heartbeat) -> None:
    """Note a heartbeat, at the server's time."""
    transaction.run(
        update(DEPLOYMENTS)
        .where(DEPLOYMENTS.c.id == deployment_id)
        .values(
            last_seen=transaction.now,
            agent_version=heartbeat.agent_version,
            release=heartbeat.release,
            sequence=heartbeat.sequence,
            health=heartbeat.health,
            stale=heartbeat.stale,
            workloads=[workload.dump() for workload in heartbeat.workloads],
            telemetry=heartbeat.telemetry,
        )
    )


def reported(transaction: Transaction, deployment_id: str, report: Report) -> None:
    """Note a report: how far the deployment is, and what its release answers."""
    values: dict[str, Any] = {"phase": report.phase, "message": report.reason}
    if report.phase in {"succeeded", "unchanged", "returned"}:
        values |= {
            "release": report.release,
            "commands": [command.dump() for command in report.commands],
            "targets": [target.dump() for target in report.targets],
        }
    transaction.run(update(DEPLOYMENTS).where(DEPLOYMENTS.c.id == deployment_id).values(values))


def heard(transaction: Transaction, deployment_id: str, target: arc.Target) -> None:
    """Note a workload that asks for its commands itself: where no agent says which take some, it is one of them."""
    known = row(transaction, deployment_id)
    others = [each for each in known["targets"] if each["resourceId"] != target.resource_id]
    if known["last_seen"] is None:
        values = {"targets": [*others, target.dump()]}
        transaction.run(update(DEPLOYMENTS).where(DEPLOYMENTS.c.id == deployment_id).values(values))


def pin(transaction: Transaction, deployment_id: str, release: str | None) -> None:
    """Hold a deployment on a release, or let rollouts have it again."""
    transaction.run(update(DEPLOYMENTS).where(DEPLOYMENTS.c.id == deployment_id).values(pinned=release))


def seen(transaction: Transaction, deployment_ids: Iterable[str]) -> list[Seen]:
    """The newest heartbeat of each of these that ever sent one."""
    columns = (DEPLOYMENTS.c.id, DEPLOYMENTS.c.release, DEPLOYMENTS.c.health, DEPLOYMENTS.c.last_seen)
    wanted = select(*columns).where(DEPLOYMENTS.c.id.in_(list(deployment_ids)), DEPLOYMENTS.c.last_seen.is_not(None))
    return [
        Seen(
            deployment_id=each["id"],
            release=each["release"],
            health=cast("HealthWord", each["health"]),
            at=each["last_seen"],
        )
        for each in transaction.all(wanted)
    ]
