"""The agent's part in telemetry, made ready: what takes it, keeps it and passes it on, and the level that holds."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from alien_iac.agent import say
from alien_iac.agent.forwarding import Carrier, Forwarder
from alien_iac.agent.gateway import Gateway
from alien_iac.agent.outbox import Outbox
from alien_iac.agent.place import Place
from alien_iac.agent.store import Store
from alien_iac.agent.tails import Tails
from alien_iac.errors import InvalidInput
from alien_iac.protocol.telemetry.levels import Level

TAIL_S = 1.0


class Telemetry:
    """One agent's. Made in the event loop's thread, whose `store` it asks there."""

    def __init__(self, place: Place, store: Store, carrier: Carrier) -> None:
        self._place = place
        self._store = store
        self._vendors = say.VendorSay(telemetry="off")
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()
        self._outbox = Outbox(place.telemetry, arrived=_from_any_thread(loop, arrived))
        self.gateway = Gateway(self._outbox, self.level)
        self._forwarder = Forwarder(self._outbox, self.level, carrier, arrived)
        self._tails = Tails(place.data, self._outbox, self.level)
        with suppress(InvalidInput):  # a vendor's config that is wrong lets nothing out until it is right
            self._learn()

    def level(self) -> Level:
        """What of the telemetry leaves now: nothing while the customer's file is missing or wrong. For any thread."""
        try:
            return say.telemetry(say.read(self._place.say), self._vendors)
        except InvalidInput:
            return "off"

    @property
    def lost(self) -> int:
        """Items that could not be delivered, so far."""
        return sum(items for _, _, items in self._outbox.losses())

    async def forward(self) -> None:
        """Pass on what waits, and wait for more. Raises Unavailable where it must be tried again."""
        self._learn()
        await self._forwarder.once()

    async def tail(self) -> None:
        """Take what the workloads printed since."""
        self._learn()
        outputs = self._store.outputs
        workloads = [workload.id for workload in outputs.workloads] if outputs else []
        await asyncio.to_thread(self._tails.look, workloads)
        await asyncio.sleep(TAIL_S)

    def close(self) -> None:
        self._outbox.close()

    def _learn(self) -> None:
        """The vendor's own say, of the release that runs."""
        current = self._store.current
        self._vendors = say.vendor_say(current.config.values if current and current.config else {})


def _from_any_thread(loop: asyncio.AbstractEventLoop, arrived: asyncio.Event) -> Callable[[], object]:
    return lambda: loop.call_soon_threadsafe(arrived.set)
