"""What the routes work with, made by the server or by a test and handed to `create_app`."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Request

from alien_iac.control.admission import Admission
from alien_iac.control.blobs import Folder
from alien_iac.control.commands import MOST_OPEN
from alien_iac.control.pacing import Pace
from alien_iac.control.sealed_files import SealedFolder
from alien_iac.control.signatures import Signer
from alien_iac.control.store.engine import Clock, Database
from alien_iac.control.trust import OnlineKeys
from alien_iac.control.waiting import Waiting
from alien_iac.rollout.service import Rollouts

INTAKE = 2


def utc_now() -> datetime:
    """The server's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Control:
    """The control plane's parts. `public_url`: how others reach it, where that is not what their requests say."""

    database: Database
    waiting: Waiting
    blobs: Folder
    bodies: SealedFolder
    signer: Signer
    secret: bytes = field(repr=False)
    """From which secrets are derived whose request may be sent again."""
    keys: OnlineKeys
    rollouts: Rollouts
    admission: Admission
    clock: Clock = utc_now
    pace: Pace = field(default_factory=Pace)
    intake: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(INTAKE))
    """How many requests with telemetry are unpacked at once."""
    forwards: bool = False
    """Whether telemetry is kept for another receiver too."""
    public_url: str | None = None
    most_open: int = MOST_OPEN
    """Commands of one deployment that may wait at once."""

    def base_url(self, request: Request) -> str:
        """The control plane's address as this caller reaches it."""
        return self.public_url or str(request.base_url).rstrip("/")


async def _control(request: Request) -> Control:
    # A coroutine, though it waits for nothing: FastAPI would run a plain function in a thread.
    return cast("Control", request.app.state.control)


Parts = Annotated[Control, Depends(_control)]
