"""What the routes work with, made by the server or by a test and handed to `create_app`."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Request

from alien_iac.control.blobs import Folder
from alien_iac.control.signatures import Signer
from alien_iac.control.store.engine import Clock, Database
from alien_iac.control.trust import OnlineKeys
from alien_iac.control.waiting import Waiting
from alien_iac.rollout.service import Rollouts


def utc_now() -> datetime:
    """The server's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Control:
    """The control plane's parts. `public_url`: how others reach it, where that is not what their requests say."""

    database: Database
    waiting: Waiting
    blobs: Folder
    bodies: Folder
    signer: Signer
    secret: bytes = field(repr=False)
    """From which secrets are derived whose request may be sent again."""
    keys: OnlineKeys
    rollouts: Rollouts
    clock: Clock = utc_now
    public_url: str | None = None
    last_used: dict[str, datetime] = field(default_factory=dict, repr=False)
    """When each token was last used; written to the database now and then."""

    def base_url(self, request: Request) -> str:
        """The control plane's address as this caller reaches it."""
        return self.public_url or str(request.base_url).rstrip("/")


def _control(request: Request) -> Control:
    return cast("Control", request.app.state.control)


Parts = Annotated[Control, Depends(_control)]
