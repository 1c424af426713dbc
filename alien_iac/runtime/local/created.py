"""Created objects on `local`: what is new in a storage's folder, told at least once, also across restarts.

The file system's events say where to look; the ledger says what is news. A full look every few seconds finds what the
events missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import obstore
import watchfiles
from obstore.exceptions import BaseError

from alien_iac.runtime import events
from alien_iac.runtime.clock import Clock
from alien_iac.runtime.deliveries import Deliveries
from alien_iac.runtime.ending import first, rest
from alien_iac.runtime.local.ledger import Created, Ledger
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.redelivery import BACK, GIVEN_UP
from alien_iac.runtime.stores.local_storage import UNFINISHED, LocalPlace

FULL_LOOK_SECONDS = 10.0
AT_ONCE = 10
HELD = 1000
"""How many objects are in work or rest after a failure; the others wait in the ledger."""
_MANY = 200
"""From so many changed paths on, one look at the whole folder is less work."""


class CreatedObjects:
    """The objects of one storage that trigger the Function."""

    def __init__(self, storage: str, place: LocalPlace, deliveries: Deliveries, ledger: Ledger, clock: Clock) -> None:
        self._storage = storage
        self._place = place
        self._deliveries = deliveries
        self._ledger = ledger
        self._clock = clock
        self._news = asyncio.Event()
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def begin(self) -> None:
        """Once, before the Function serves: what lies in a storage that it never watched before is no news."""
        if not await asyncio.to_thread(self._ledger.is_known, self._storage):
            await asyncio.to_thread(self._ledger.begin_storage, self._storage, await self._all())

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(ended))
            tasks.create_task(self._look_now_and_then(ended))
            tasks.create_task(self._tell(ended))

    async def _watch(self, ended: asyncio.Event) -> None:
        changes = watchfiles.awatch(
            self._place.folder, watch_filter=None, step=50, debounce=200, stop_event=ended, rust_timeout=500
        )
        async for batch in changes:
            await self._look_at({Path(path) for _, path in batch})

    async def _look_now_and_then(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            await self._look_at_all()
            await rest(self._clock, FULL_LOOK_SECONDS, ended)

    async def _look_at(self, paths: set[Path]) -> None:
        keys = {path.relative_to(self._place.folder.resolve()).as_posix() for path in paths}
        files = {key for key in keys if not UNFINISHED.search(key) and (self._place.folder / key).is_file()}
        if len(keys) > _MANY or keys - files:
            # A folder came, or something went.
            await self._look_at_all()
            return
        found = []
        for key in files:
            try:
                found.append((key, (await obstore.head_async(self._place.objects, key))["e_tag"] or ""))
            except (FileNotFoundError, BaseError, ValueError) as error:
                LOGGER.warning(line("object skipped", storage=self._storage, why=type(error).__name__))
        await self._note(found)

    async def _look_at_all(self) -> None:
        known = await asyncio.to_thread(self._ledger.keys, self._storage)
        found = await self._all()
        await self._note(found)
        gone = known - {key for key, _ in found}
        if gone:
            await asyncio.to_thread(self._ledger.forget, self._storage, gone)

    async def _all(self) -> list[tuple[str, str]]:
        listed = await obstore.list(self._place.objects).collect_async()
        return [(meta["path"], meta["e_tag"] or "") for meta in listed]

    async def _note(self, objects: Iterable[tuple[str, str]]) -> None:
        if await asyncio.to_thread(self._ledger.note, self._storage, objects):
            self._news.set()

    async def _tell(self, ended: asyncio.Event) -> None:
        """Deliver what waits, several at once, each object's events one after the other."""
        running: dict[str, asyncio.Task[None]] = {}
        while not ended.is_set():
            self._news.clear()
            waiting = await asyncio.to_thread(self._ledger.waiting, self._storage, 2 * HELD)
            for created in waiting:
                if len(running) < HELD and created.key not in running:
                    task = asyncio.create_task(self._deliver(created, ended))
                    running[created.key] = task
                    task.add_done_callback(partial(self._delivered, running, created.key))
            news = asyncio.ensure_future(self._news.wait())
            await first([news], ended)
            news.cancel()
        await asyncio.gather(*running.values())

    def _delivered(self, running: dict[str, asyncio.Task[None]], key: str, _: asyncio.Task[None]) -> None:
        running.pop(key, None)
        self._news.set()

    async def _deliver(self, created: Created, ended: asyncio.Event) -> None:
        async with self._slots:
            if ended.is_set():
                return
            attempt = await asyncio.to_thread(self._ledger.begin_object, created)
            event = events.Created(
                storage=self._storage, key=created.key, version=created.e_tag, attempt=attempt, is_kept=False
            )
            verdict = await self._deliveries.deliver(event)
        if verdict.is_final:
            await asyncio.to_thread(self._ledger.end_object, created, given_up=verdict == GIVEN_UP)
        elif verdict != BACK:
            await rest(self._clock, verdict.seconds, ended)
