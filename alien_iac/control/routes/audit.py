"""The audit log: who did what, when and why."""

from typing import Annotated

from fastapi import Query

from alien_iac.control.audit import Anchor
from alien_iac.control.collaborators import Parts
from alien_iac.control.routes.base import PAGE, Cursor, Limit, Routes
from alien_iac.control.security import Reader
from alien_iac.control.store import audit
from alien_iac.protocol.api import AuditCheck, AuditEntry, Page

router = Routes(tags=["audit"], prefix="/audit")


@router.get("")
async def ls(caller: Reader, control: Parts, cursor: Cursor = None, limit: Limit = PAGE) -> Page[AuditEntry]:
    """Entries, newest first."""
    del caller
    found, following = await control.database.read(lambda transaction: audit.entries(transaction, cursor, limit))
    return Page[AuditEntry](items=tuple(found), next=following)


@router.get("/verify")
async def verify(
    caller: Reader,
    control: Parts,
    number: Annotated[int | None, Query(ge=1, lt=1 << 60)] = None,
    noted: Annotated[
        str | None, Query(alias="hash", max_length=64, description="Of that entry, as noted before.")
    ] = None,
) -> AuditCheck:
    """Whether the chain of hashes is whole, and has the entry that was noted before."""
    del caller
    anchor = Anchor(number, noted) if number is not None and noted is not None else None
    return await control.database.read(lambda transaction: audit.verify(transaction, anchor))
