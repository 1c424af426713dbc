"""How often and when an event is delivered again: the one place that decides it, for every platform's adapter.

A queue counts its messages' attempts itself and ends them as dead letters, so for a message only the delay is decided
here. What has no queue behind it on this platform (a schedule's instant, a created object) is given up, with a line in
the log, after `ATTEMPTS` deliveries.
"""

import random
from dataclasses import dataclass

ATTEMPTS = 5
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 60.0


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
