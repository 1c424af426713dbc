"""Whether the control plane can work: for load balancers and supervisors, without a token."""

from sqlalchemy import text

from alien_iac.control.collaborators import Parts
from alien_iac.control.routes.base import Routes
from alien_iac.errors import Unavailable

router = Routes(tags=["health"])


@router.get("/healthz")
async def healthz(control: Parts) -> dict[str, str]:
    """`ok` while the database takes writes. Unavailable while it does not, or the server is about to end."""
    if control.waiting.closed:
        raise Unavailable("the control plane is shutting down")
    await control.database.write(lambda transaction: transaction.scalar(text("SELECT 1")))
    return {"status": "ok"}
