"""The audit log: only added to, each entry's hash covering the one before, so that a change anywhere shows."""

from typing import Any

from sqlalchemy import RowMapping, insert, select

from alien_iac.control import audit
from alien_iac.control.store import paging
from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import AUDIT
from alien_iac.protocol.api import AuditCheck, AuditEntry

_STRIDE = 1_000
_LAST = select(AUDIT.c.number, AUDIT.c.hash).order_by(AUDIT.c.number.desc()).limit(1)
_INSERT = insert(AUDIT)


def append(
    transaction: Transaction, actor: str, action: str, subject: str, *, reason: str = "", **details: object
) -> None:
    """One line: who did what to which thing, and why. No secret belongs into it."""
    last = transaction.one(_LAST)
    entry: dict[str, Any] = {
        "number": last["number"] + 1 if last else 1,
        "at": transaction.now,
        "actor": actor,
        "action": action,
        "subject": subject,
        "reason": reason,
        "details": details,
    }
    before = last["hash"] if last else audit.START
    transaction.run(_INSERT, {**entry, "hash": audit.chain(before, entry)})


def entries(transaction: Transaction, cursor: str | None, limit: int) -> tuple[list[AuditEntry], str | None]:
    """Entries, newest first."""
    found, following = paging.page(transaction, select(AUDIT), (AUDIT.c.number,), cursor, limit)
    return [AuditEntry(**row) for row in found], following


def verify(transaction: Transaction, anchor: audit.Anchor | None = None) -> AuditCheck:
    """Walk the whole chain; where it breaks first, if it does.

    `anchor`: an entry's hash as somebody noted it before. It alone shows that the newest entries were removed, or that
    the whole chain was written anew.
    """
    before, number = audit.START, 0
    while rows := _after(transaction, number):
        for row in rows:
            number += 1
            entry = {key: value for key, value in row.items() if key != "hash"}
            noted = anchor is None or anchor.number != number or anchor.hash == row["hash"]
            if not noted or row["number"] != number or row["hash"] != audit.chain(before, entry):
                return AuditCheck(entries=number, whole=False, broken_at=number)
            before = row["hash"]
    if anchor is not None and anchor.number > number:
        return AuditCheck(entries=number, whole=False, broken_at=number + 1)
    return AuditCheck(entries=number, whole=True, head=before)


def _after(transaction: Transaction, number: int) -> list[RowMapping]:
    return list(transaction.all(select(AUDIT).where(AUDIT.c.number > number).order_by(AUDIT.c.number).limit(_STRIDE)))
