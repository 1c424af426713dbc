"""Requests that were sent before: the same key with the same request is answered again, with another it is refused."""

from datetime import timedelta

from sqlalchemy import delete, insert, select

from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import IDEMPOTENCY
from alien_iac.errors import Conflict

KEPT = timedelta(hours=24)


def recall(transaction: Transaction, key: str | None, request_hash: str) -> str | None:
    """The id of what this request made before. Conflict where the key came with another request."""
    if key is None:
        return None
    row = transaction.one(select(IDEMPOTENCY).where(IDEMPOTENCY.c.key == key))
    if row is None or row["created_at"] < transaction.now - KEPT:
        return None
    if row["request_hash"] != request_hash:
        raise Conflict("this idempotency key was used for another request", hint="use a new key for a new request")
    return str(row["subject"])


def remember(transaction: Transaction, key: str | None, request_hash: str, subject: str) -> None:
    """Note what a request made."""
    if key is None:
        return
    transaction.run(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.key == key))
    transaction.run(
        insert(IDEMPOTENCY).values(key=key, request_hash=request_hash, subject=subject, created_at=transaction.now)
    )


def prune(transaction: Transaction) -> None:
    """Forget old keys."""
    transaction.run(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.created_at < transaction.now - KEPT))
