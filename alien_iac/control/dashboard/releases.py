"""Releases, newest first, and how many deployments run each."""

from fastapi.responses import Response

from alien_iac.control.dashboard.visitors import Reading
from alien_iac.control.routes import releases as api
from alien_iac.control.routes.base import Cursor, Routes
from alien_iac.control.store import fleet

router = Routes()


@router.get("/releases")
async def ls(seen: Reading, cursor: Cursor = None) -> Response:
    """The releases."""
    found = await api.ls(seen.caller, seen.control, cursor, 50)
    running = await seen.control.database.read(fleet.running)
    return seen.show("releases.html", page=found, running=running, cursor=cursor)
