"""What each deployment should run: stored apart from rollouts, so that it holds whatever becomes of them."""

from typing import Any

from sqlalchemy import RowMapping, bindparam, select, update

from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import DESIRED, RELEASES
from alien_iac.errors import NotFound
from alien_iac.protocol.api import Desired

_ONE = select(DESIRED).where(DESIRED.c.deployment_id == bindparam("this"))


def topic(deployment_id: str) -> str:
    """What wakes an agent that waits for news."""
    return f"desired:{deployment_id}"


def row(transaction: Transaction, deployment_id: str) -> RowMapping:
    """The stored row. NotFound for an unknown deployment."""
    found = transaction.one(_ONE, {"this": deployment_id})
    if found is None:
        raise NotFound(f'there is no deployment "{deployment_id}"')
    return found


def get(transaction: Transaction, deployment_id: str) -> Desired:
    """What the deployment should run."""
    found = row(transaction, deployment_id)
    return Desired(
        revision=found["revision"],
        rollout_id=found["rollout_id"],
        manifest=found["manifest"],
        config=found["config"],
        action=found["action"],
    )


def set_release(transaction: Transaction, deployment_id: str, release: str | None, **more: Any) -> None:
    """Desire a release (None: none). `more` are further columns: the action, the rollout, the effect's sequence."""
    manifest = None if release is None else _manifest(transaction, release)
    change(transaction, deployment_id, release=release, manifest=manifest, **more)


def change(transaction: Transaction, deployment_id: str, **values: Any) -> None:
    """Write a new revision, and wake the agent."""
    transaction.run(
        update(DESIRED)
        .where(DESIRED.c.deployment_id == deployment_id)
        .values(revision=DESIRED.c.revision + 1, updated_at=transaction.now, **values)
    )
    transaction.wake(topic(deployment_id))


def _manifest(transaction: Transaction, release: str) -> str:
    found = transaction.scalar(select(RELEASES.c.manifest).where(RELEASES.c.version == release))
    if found is None:
        raise NotFound(f'there is no release "{release}"')
    return str(found)
