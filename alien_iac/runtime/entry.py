"""The outermost frame of every process of the runtime: its log, its event loop, its exit code."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine, Iterator

from alien_iac.errors import AlienError
from alien_iac.runtime import logs
from alien_iac.runtime.logs import LOGGER, line


def as_process(run: Callable[[], Coroutine[object, object, None]]) -> int:
    """Run it as all that this process does. The exit code; an error of ours is one line in the log, no traceback."""
    # A log that is read while the process runs; into a file Python would keep it back.
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(line_buffering=True)
    logs.configure()
    logging.captureWarnings(capture=True)
    status = 0
    try:
        asyncio.run(run())
    except* AlienError as group:
        for error in _leaves(group):
            LOGGER.error(line("ended", code=error.code, why=str(error)))
            status = status or error.exit_code
    return status


def _leaves(group: BaseExceptionGroup[AlienError]) -> Iterator[AlienError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
