"""How often somebody may ask: a token bucket for each token and for each address, in bounded memory.

Each process counts for itself: with several behind a proxy, somebody whom it spreads over all has as much from each.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from alien_iac.control.refusals import TooManyRequests
from alien_iac.control.tokens import Caller

_MOST = 50_000
"""Buckets that are remembered; the one that was used longest ago is forgotten first."""
_V6_NETWORK = 64
"""Bits of an IPv6 address that one customer of a network has; the rest are theirs to choose."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """So many a second for ever, and so many at once."""

    per_second: float
    burst: int


FLEET = Rate(per_second=1_000, burst=5_000)
"""Requests with a token for all deployments."""
BOUND = Rate(per_second=100, burst=1_000)
"""Requests with a token of one deployment: its agent, a workload, a customer's program."""
FAILURES = Rate(per_second=2, burst=60)
"""Wrong codes, assertions and tokens from one address."""


class Buckets:
    """Buckets of one rate, by whom they are for. From several threads, too."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic, most: int = _MOST) -> None:
        self._rate = rate
        self._clock = clock
        self._most = most
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._spent)

    def take(self, who: str) -> None:
        """Count one. TooManyRequests, and nothing is counted, where the bucket is empty."""
        with self._lock:
            spent = self._now(who)
            self._refuse(spent)
            self._keep(who, spent + 1)

    def check(self, who: str) -> None:
        """TooManyRequests where the bucket is empty."""
        with self._lock:
            self._refuse(self._now(who))

    def charge(self, who: str) -> None:
        """Count one, though nobody is refused for it now. What is owed never grows beyond one bucket."""
        with self._lock:
            self._keep(who, min(self._now(who) + 1, self._rate.burst))

    def _now(self, who: str) -> float:
        spent, at = self._spent.get(who, (0.0, 0.0))
        return max(0.0, spent - (self._clock() - at) * self._rate.per_second)

    def _refuse(self, spent: float) -> None:
        over = spent + 1 - self._rate.burst
        if over > 0:
            raise TooManyRequests(max(1, math.ceil(over / self._rate.per_second)))

    def _keep(self, who: str, spent: float) -> None:
        self._spent[who] = (spent, self._clock())
        self._spent.move_to_end(who)
        if len(self._spent) > self._most:
            self._spent.popitem(last=False)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """All buckets of a process."""

    fleet: Buckets = field(default_factory=lambda: Buckets(FLEET))
    bound: Buckets = field(default_factory=lambda: Buckets(BOUND))
    failures: Buckets = field(default_factory=lambda: Buckets(FAILURES))

    def take(self, caller: Caller) -> None:
        """One request of somebody. TooManyRequests where that is too often."""
        (self.fleet if caller.deployment_id is None else self.bound).take(caller.token_id)


def origin(address: str | None) -> str:
    """Who an address stands for: itself, or for IPv6 its network, of which one machine has all addresses."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if found.version == 4:  # noqa: PLR2004 - the version itself
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), _V6_NETWORK), strict=False).network_address)
