"""Whether the control plane can work: for load balancers and supervisors, without a token. And figures, with one."""

from fastapi import Response
from sqlalchemy import text

from alien_iac.control import gauges
from alien_iac.control.collaborators import Parts
from alien_iac.control.routes.base import Routes
from alien_iac.control.security import Reader
from alien_iac.errors import Unavailable

router = Routes(tags=["health"])
_CONTENT = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/healthz")
@router.get("/health/ready")
async def ready(control: Parts) -> dict[str, str]:
    """`ok` while the database takes writes. Unavailable while it does not, or the server is about to end."""
    if control.waiting.closed:
        raise Unavailable("the control plane is shutting down")
    await control.database.write(lambda transaction: transaction.scalar(text("SELECT 1")))
    return {"status": "ok"}


@router.get("/health/live")
async def live() -> dict[str, str]:
    """`ok` while the process answers, whatever its database does: to restart it would not help that."""
    return {"status": "ok"}


@router.get("/metrics")
async def metrics(caller: Reader, control: Parts) -> Response:
    """The figures for Prometheus, which sends a token with scope read."""
    del caller
    return Response(await gauges.text(control), media_type=_CONTENT)
