"""Trying again: how long to wait, and a loop that never gives up and says once that it has trouble."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

from alien_iac.errors import AlienError

_LOG = logging.getLogger(__name__)
_DICE = random.SystemRandom()


@dataclass(frozen=True)
class Backoff:
    """Waits that double from `first_s` to `most_s`, each spread over its upper half so that agents do not march."""

    first_s: float = 0.5
    most_s: float = 15.0

    def pause(self, failures: int, dice: Callable[[], float] = _DICE.random) -> float:
        """Seconds to wait after that many failures in a row (at least one). `dice` gives 0 to 1."""
        full: float = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 20))
        return full * (0.5 + dice() / 2)


async def keep_on(what: str, once: Callable[[], Awaitable[object]], backoff: Backoff) -> NoReturn:
    """Do `once` for ever; after an error of our tree it waits, longer each time. The first of a row is logged."""
    failures = 0
    while True:
        try:
            await once()
        except AlienError as error:
            failures += 1
            _LOG.log(logging.WARNING if failures == 1 else logging.DEBUG, "%s: %s", what, error)
            await asyncio.sleep(backoff.pause(failures))
        else:
            if failures:
                _LOG.info("%s: well again after %d failure(s)", what, failures)
            failures = 0
