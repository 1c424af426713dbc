"""When what failed is delivered again: the one place that decides it, for every platform's adapter.

A queue counts its messages' attempts itself and ends them as dead letters, so for a message only the delay is decided
here. What no platform keeps after too many attempts (on `local` a schedule's instant, a created object) is given up,
with a line in the log, after `ATTEMPTS` deliveries.
"""

import random
from dataclasses import dataclass
from typing import Literal

ATTEMPTS = 5
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 60.0


@dataclass(frozen=True)
class Verdict:
    """What an adapter tells its platform about an event.

    `settled`: it is dealt with. `again`: it failed, and comes again after `seconds`, where the platform can wait so
    long. `back`: the workload ended first, so it comes again at once, and has not failed. `given up`: it failed for the
    last time.
    """

    word: Literal["settled", "again", "back", "given up"]
    seconds: float = 0.0

    @property
    def is_final(self) -> bool:
        return self.word in {"settled", "given up"}


SETTLED, BACK, GIVEN_UP = Verdict("settled"), Verdict("back"), Verdict("given up")


def failed(attempt: int, *, is_kept: bool) -> Verdict:
    """What becomes of an event whose delivery number `attempt` failed."""
    if not is_kept and attempt >= ATTEMPTS:
        return GIVEN_UP
    return Verdict("again", delay_seconds(attempt))


def delay_seconds(attempt: int) -> float:
    """How long an event rests after its delivery number `attempt` failed: 1 s, doubled each time, a minute at most."""
    return min(FIRST_DELAY_SECONDS * 2.0 ** min(attempt - 1, 10), LONGEST_DELAY_SECONDS)


@dataclass
class Backoff:
    """The waits between tries to reach a peer that is away: doubled each time, with a tenth of jitter."""

    first: float
    longest: float
    jitter: float = 0.1
    _next: float = 0.0

    def reset(self) -> None:
        self._next = 0.0

    def next(self) -> float:
        """Seconds to wait before the next try."""
        wait = self._next or self.first
        self._next = min(wait * 2, self.longest)
        return wait * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 - spreads load, hides nothing
