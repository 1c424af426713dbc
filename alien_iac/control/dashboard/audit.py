"""The audit log, and whether its chain of hashes is whole."""

from fastapi.responses import Response

from alien_iac.control.dashboard.visitors import Reading
from alien_iac.control.routes import audit as api
from alien_iac.control.routes.base import Cursor, Routes

router = Routes()


@router.get("/audit")
async def ls(seen: Reading, cursor: Cursor = None, *, verify: bool = False) -> Response:
    """Entries, newest first; with `verify`, after a walk along the whole chain."""
    found = await api.ls(seen.caller, seen.control, cursor, 100)
    check = await api.verify(seen.caller, seen.control) if verify else None
    return seen.show("audit.html", page=found, check=check, cursor=cursor)
