"""The newest sign of life of each workload, as the agent's loopback server hears it. Forgotten with the process."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from alien_iac.protocol.api import WorkloadHeartbeat


@dataclass(frozen=True)
class Beat:
    """One sign of life, and when it was heard (monotonic seconds)."""

    told: WorkloadHeartbeat
    heard: float


class Beats:
    """Workload id to its newest beat."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._newest: dict[str, Beat] = {}

    def hear(self, told: WorkloadHeartbeat) -> None:
        self._newest[told.resource_id] = Beat(told, self._clock())

    def newest(self, workload_id: str, within_s: float) -> WorkloadHeartbeat | None:
        """The newest beat, unless it is older than `within_s`."""
        beat = self._newest.get(workload_id)
        return beat.told if beat and self._clock() - beat.heard <= within_s else None
