"""The audit log, and whether its chain of hashes is whole."""

from fastapi.responses import Response

from alien_iac.control.dashboard.visitors import Reading
from alien_iac.control.routes import audit as api
from alien_iac.control.routes.base import Cursor, Routes
from alien_iac.control.store import fleet

router = Routes()

AGENT = "agent:"
"""What the name of an agent begins with; the rest is its deployment."""


@router.get("/audit")
async def ls(seen: Reading, cursor: Cursor = None, *, verify: bool = False) -> Response:
    """Entries, newest first; with `verify`, after a walk along the whole chain."""
    found = await api.ls(seen.caller, seen.control, cursor, 100)
    check = await api.verify(seen.caller, seen.control) if verify else None
    ids = {word.removeprefix(AGENT) for entry in found.items for word in (entry.actor, entry.subject)}
    names = await seen.control.database.read(lambda transaction: fleet.customers(transaction, ids))
    return seen.show("audit.html", page=found, check=check, cursor=cursor, names=names, agent=AGENT)
