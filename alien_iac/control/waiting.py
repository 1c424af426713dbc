"""Who waits for what in this process: a held request sleeps on topics until a durable write wakes it.

With several processes on one database each keeps its own; they tell each other through the database.
"""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

T = TypeVar("T")

HOLD_S = 25.0
"""How long a request is held, at most: shorter than the 30 s after which clients and proxies give up."""


class Waiting:
    """Topics and who sleeps on them. `wake` may be called from any thread.

    `recheck_s`: about how often a sleeper looks unwoken, where what wakes it comes from afar and may be lost.
    """

    def __init__(self, recheck_s: float | None = None) -> None:
        self._recheck_s = recheck_s
        self._lock = threading.Lock()
        self._sleepers: dict[str, set[_Sleeper]] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def topics(self) -> Collection[str]:
        """What is waited for now."""
        with self._lock:
            return tuple(self._sleepers)

    @property
    def held(self) -> int:
        """How many requests are held now."""
        with self._lock:
            return len({sleeper for sleepers in self._sleepers.values() for sleeper in sleepers})

    def wake(self, topics: Iterable[str]) -> None:
        """Wake everyone on these topics."""
        with self._lock:
            found = {sleeper for topic in topics for sleeper in self._sleepers.get(topic, ())}
        for sleeper in found:
            sleeper.wake()

    def wake_all(self) -> None:
        """Wake everyone: news may have been missed."""
        self.wake(self.topics)

    def close(self) -> None:
        """Answer all held requests now, and hold none from now on: the server is to end."""
        with self._lock:
            self._closed = True
            found = {sleeper for sleepers in self._sleepers.values() for sleeper in sleepers}
        for sleeper in found:
            sleeper.wake()

    @asynccontextmanager
    async def listening(self, *topics: str) -> "AsyncIterator[_Sleeper]":
        """Listen before the first look, so that no change falls between the look and the sleep."""
        sleeper = _Sleeper()
        with self._lock:
            for topic in topics:
                self._sleepers.setdefault(topic, set()).add(sleeper)
        try:
            yield sleeper
        finally:
            with self._lock:
                for topic in topics:
                    self._sleepers[topic].discard(sleeper)
                    if not self._sleepers[topic]:
                        del self._sleepers[topic]

    async def until(
        self,
        topics: Iterable[str],
        look: Callable[[], Awaitable[tuple[T, bool, datetime | None]]],
        wait: float,
        now: Callable[[], datetime],
    ) -> T:
        """The first answer of `look` that is worth one, or its last one when `wait` seconds are over.

        `look` gives (answer, whether it is worth answering, the instant at which to look again even unwoken).
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + min(wait, HOLD_S)
        async with self.listening(*topics) as sleeper:
            while True:
                sleeper.rearm()
                answer, good, again = await look()
                left = end - loop.time()
                if good or left <= 0 or self._closed:
                    return answer
                pause = left if again is None else min(left, max(0.001, (again - now()).total_seconds()))
                await sleeper.sleep(min(pause, self._recheck()))

    def _recheck(self) -> float:
        # Jittered, so that the requests that came back together after a restart do not look together for ever.
        return HOLD_S if self._recheck_s is None else self._recheck_s * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret


class _Sleeper:
    """One held request. Armed before each look; woken at most once an arming."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()

    def rearm(self) -> None:
        if self._future.done():
            self._future = self._loop.create_future()

    def wake(self) -> None:
        self._loop.call_soon_threadsafe(self._set)

    def _set(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """Until woken, or for so long."""
        await asyncio.wait((self._future,), timeout=seconds)
