"""How a process is told to end, and the waits that this cuts short."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from typing import Any

from alien_iac.runtime.clock import Clock


def end_signals() -> asyncio.Event:
    """An event that the first SIGTERM or SIGINT sets. For the main thread's loop."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    return ended


async def rest(clock: Clock, seconds: float, ended: asyncio.Event) -> bool:
    """Wait so long, or until `ended`. True where the work goes on."""
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await first([sleeping], ended)
    finally:
        sleeping.cancel()
    return not ended.is_set()


async def first(waits: Iterable[asyncio.Future[Any]], ended: asyncio.Event, seconds: float | None = None) -> None:
    """Wait for the first of them, for the end, or so long. None of them is cancelled."""
    ending = asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait((*waits, ending), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.cancel()
