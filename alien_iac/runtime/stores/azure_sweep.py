"""Removing what expired from an Azure table, which has no time to live of its own.

A workload that writes removes some now and then: a few of one partition, unless they were written again meanwhile.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import islice

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError
from azure.data.tables import TableClient, TableEntity

from alien_iac.runtime.stores.buckets import BUCKETS

EVERY_SECONDS = 300.0
MOST = 20
"""How many are removed at once: the write that they delay takes a moment longer, not seconds."""
_EXPIRED = "PartitionKey eq @partition and ExpiresAt lt @now"


class Sweep:
    """The turn of one table's next removal; the first comes at once."""

    def __init__(
        self, table: TableClient, now: Callable[[], datetime], ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._table = table
        self._now = now
        self._ticks = ticks
        self._lock = threading.Lock()
        self._next = ticks()
        self._partition = random.randrange(BUCKETS)  # noqa: S311 - so that several copies do not sweep the same

    def turn(self) -> int:
        """Sweep the next partition, if it is time. How many entities were removed."""
        with self._lock:
            if self._ticks() < self._next:
                return 0
            self._next = self._ticks() + EVERY_SECONDS
            self._partition = (self._partition + 1) % BUCKETS
            partition = self._partition
        return self._remove(self._expired(f"p{partition}"))

    def _expired(self, partition: str) -> list[TableEntity]:
        now = self._now()
        found = self._table.query_entities(
            _EXPIRED,
            parameters={"partition": partition, "now": now.isoformat()},
            select=["PartitionKey", "RowKey", "ExpiresAt"],
            results_per_page=MOST,
        )
        # The query compares text, which other programs may write in another form.
        return [entity for entity in islice(found, MOST) if datetime.fromisoformat(entity["ExpiresAt"]) <= now]

    def _remove(self, entities: list[TableEntity]) -> int:
        removed = 0
        for entity in entities:
            # What was written again has not expired.
            with suppress(ResourceModifiedError):
                self._table.delete_entity(entity, match_condition=MatchConditions.IfNotModified)
                removed += 1
        return removed
