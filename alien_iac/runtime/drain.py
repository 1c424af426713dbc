"""Commands of a Function where no agent calls it: once a minute it asks the control plane itself, until none waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import ValidationError

from alien_iac.errors import InvalidInput, Unavailable
from alien_iac.protocol import environment
from alien_iac.runtime import receiver
from alien_iac.runtime.http import async_client
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.receiver import Receiver
from alien_iac.runtime.workload import Workload

USUAL = timedelta(seconds=50)
"""How long it goes on where the platform sets no end."""


async def drain(mine: Workload, ends: datetime | None = None) -> None:
    """Answer the commands that wait. InvalidInput where the environment does not say where; BindingInvalid.

    A control plane that does not answer is remarked upon in the log: a minute later it is asked again.
    """
    wanted = receiver.read()
    if wanted is None:
        raise InvalidInput(f"there are no commands to ask for: {environment.COMMANDS_URL} is not set")
    until = mine.deliveries.deadline(ends) or mine.clock.now() + USUAL
    async with async_client() as http:
        try:
            dealt = await Receiver(wanted, mine.runner, mine.clock, http).drain(until)
        except (Unavailable, OSError, ValidationError) as error:
            LOGGER.warning(line("drain", why=getattr(error, "message", type(error).__name__)))
        else:
            LOGGER.info(line("drain", commands=dealt))
