"""When a deployment is healthy on a release: what one heartbeat says, and what a row of them adds up to."""

from datetime import datetime, timedelta

from alien_iac.protocol.api import HealthWord
from alien_iac.rollout.events import Seen


def says(seen: Seen, release: str, fresh: timedelta, now: datetime) -> HealthWord:
    """What a heartbeat says of the release. An old one, or one of another release, says nothing."""
    if now - seen.at > fresh or seen.release != release:
        return "unknown"
    return seen.health


def tally(row: int, word: HealthWord) -> int:
    """The row of equal signs after one more: healthy ones count up from zero, unhealthy ones down."""
    if word == "healthy":
        return max(row, 0) + 1
    if word == "unhealthy":
        return min(row, 0) - 1
    return 0
