"""Agents' reports, each taken once."""

from datetime import timedelta

from sqlalchemy import delete, insert, select

from alien_iac.control.store.engine import Transaction
from alien_iac.control.store.tables import REPORTS
from alien_iac.protocol.api import Report

KEPT = timedelta(days=30)


def known(transaction: Transaction, deployment_id: str, report_id: str) -> bool:
    """Whether this report was taken before."""
    query = select(REPORTS.c.id).where(REPORTS.c.deployment_id == deployment_id, REPORTS.c.id == report_id)
    return transaction.one(query) is not None


def add(transaction: Transaction, deployment_id: str, report: Report) -> None:
    """Keep a report."""
    transaction.run(
        insert(REPORTS).values(
            deployment_id=deployment_id,
            id=report.id,
            revision=report.revision,
            phase=report.phase,
            body=report.dump(),
            at=transaction.now,
        )
    )


def prune(transaction: Transaction) -> None:
    """Forget old reports."""
    transaction.run(delete(REPORTS).where(REPORTS.c.at < transaction.now - KEPT))
