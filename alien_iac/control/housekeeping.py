"""What the control plane does by itself: end what is over, forget what is old, sign the timestamp anew."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from alien_iac.control import trust
from alien_iac.control.collaborators import Control
from alien_iac.control.store import commands, idempotency, releases, reports, telemetry, tokens
from alien_iac.control.store.engine import Transaction

log = logging.getLogger(__name__)

SWEEP_S = 1.0
PRUNE_S = 60.0
COLLECT_S = 3600.0
ABANDONED = timedelta(days=1)
"""A body of this age without a command was written by a process that died over it."""
_AT_ONCE = 500
COMMANDS_KEPT = timedelta(days=7)
"""How long a command's result may be read after its end."""


async def run(control: Control) -> None:
    """For as long as the server lives."""
    await asyncio.gather(
        _every(SWEEP_S, lambda: sweep(control)),
        _every(PRUNE_S, lambda: prune(control)),
        _every(PRUNE_S, lambda: prune_telemetry(control)),
        _every(PRUNE_S, lambda: resign(control)),
        _every(COLLECT_S, lambda: collect(control)),
    )


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # an outermost loop: the next round tries again
            log.exception("housekeeping failed, and is tried again")
        await asyncio.sleep(seconds)


async def sweep(control: Control) -> None:
    """End commands whose time is over."""
    while await control.database.write(commands.end_overdue):
        pass


async def prune(control: Control) -> None:
    """Forget what nobody may ask for any more, and note which tokens were used."""
    used = control.admission.take_used()

    def work(transaction: Transaction) -> list[str]:
        tokens.used(transaction, used)
        tokens.prune(transaction)
        idempotency.prune(transaction)
        reports.prune(transaction)
        commands.free_keys(transaction, transaction.now - idempotency.KEPT)
        return commands.forget(transaction, transaction.now - COMMANDS_KEPT)

    for command_id in await control.database.write(work):
        await asyncio.to_thread(control.bodies.remove, command_id)


async def collect(control: Control) -> None:
    """Remove bodies whose command was never stored, and uploads that were cut off."""
    before = (control.clock() - ABANDONED).timestamp()
    await asyncio.to_thread(control.blobs.stems, before)
    stems = sorted(await asyncio.to_thread(control.bodies.stems, before))
    for start in range(0, len(stems), _AT_ONCE):
        some = stems[start : start + _AT_ONCE]
        known = await control.database.read(lambda transaction, some=some: commands.known(transaction, some))  # type: ignore[misc] # a default argument
        for stem in set(some) - known:
            await asyncio.to_thread(control.bodies.remove, stem)


async def prune_telemetry(control: Control) -> None:
    """Forget telemetry that is too old or too much, a little at a time."""
    while await control.database.write(telemetry.prune):
        pass


async def resign(control: Control) -> None:
    """Sign the timestamp anew where it is an hour old."""

    def work(transaction: Transaction) -> None:
        now = releases.repository(transaction)
        if now is not None and trust.is_due(now, transaction.now):
            releases.write_metadata(transaction, trust.sign(now, control.keys, transaction.now))

    await control.database.write(work)
