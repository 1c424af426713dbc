"""Commands for a Container's own process: it leases them from its agent and answers them.

A process that does nothing else ends its `main.py` with `run_commands()`. One that has an event loop already runs
`serve_commands()` as a task in it; cancelling the task gives the running commands back.
"""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType

from alien_iac.runtime import loading, receiver, settings
from alien_iac.runtime.clock import SystemClock
from alien_iac.runtime.ending import end_signals
from alien_iac.runtime.entry import as_process
from alien_iac.runtime.http import async_client
from alien_iac.runtime.logs import LOGGER, line
from alien_iac.runtime.receiver import Receiver, ReceiverSettings
from alien_iac.runtime.runner import Runner
from alien_iac.runtime.settings import Settings
from alien_iac.runtime.telemetry.process import captured
from alien_iac.runtime.vitals import Heartbeats, Vitals


async def serve_commands(module: ModuleType | None = None, *, ended: asyncio.Event | None = None) -> None:
    """Answer commands and send heartbeats, until cancelled or `ended`.

    The handlers are those of `module` (default: the process's main module) and of what is loaded from its folder. Where
    no agent runs there is nothing to receive, and this only waits. BindingInvalid where the environment is half set.
    """
    mine = settings.read()
    wanted = receiver.read()
    clock = SystemClock()
    program = loading.program(module or sys.modules["__main__"])
    runner = Runner(program.handlers, clock=clock, timeout_seconds=mine.timeout_seconds)
    over = ended or asyncio.Event()
    with captured():
        await _serve(wanted, runner, mine, over)


async def _serve(wanted: ReceiverSettings | None, runner: Runner, mine: Settings, over: asyncio.Event) -> None:
    clock = SystemClock()
    LOGGER.info(
        line("commands ready", names=",".join(h.name for h in runner.handlers.of("command")), received=bool(wanted))
    )
    async with async_client() as http, asyncio.TaskGroup() as tasks:
        heartbeats = tasks.create_task(Heartbeats(Vitals(runner, mine), mine, clock).run(over))
        receiving = tasks.create_task(Receiver(wanted, runner, clock, http).run(over)) if wanted else None
        try:
            await over.wait()
        finally:
            # Also where this was cancelled: the receiver then has its drain time, and gives the rest back.
            over.set()
            if receiving:
                await asyncio.shield(receiving)
            heartbeats.cancel()


def run_commands(module: ModuleType | None = None) -> None:
    """`serve_commands` as a whole process, until SIGTERM or SIGINT.

    Where the environment or the handlers are wrong, the process exits with one line in its log.
    """

    async def run() -> None:
        await serve_commands(module, ended=end_signals())

    if status := as_process(run):
        sys.exit(status)
