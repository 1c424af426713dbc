"""Commands from the vendor: leased for the whole deployment, checked against the customer's say, dispatched, answered.

At least once: a command whose result did not arrive is delivered again. The customer's log has every one of them.
"""

import asyncio
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urljoin

from alien_iac.agent import dispatch, say
from alien_iac.agent.backoff import Backoff
from alien_iac.agent.client import HOLD_S, Control
from alien_iac.agent.dispatch import Dispatcher
from alien_iac.agent.place import Place
from alien_iac.agent.store import RUNNING, CommandLine, Store
from alien_iac.errors import AlienError, Conflict, Forbidden, NotFound, Unavailable
from alien_iac.protocol import arc

_LOG = logging.getLogger(__name__)
CAPACITY = 64
"""Commands that are under way at once."""
MOST_LEASES = 16
LEASE_S = 960
"""Longer than any Function may run. An agent that starts again gives back what it held: nothing waits so long."""
GIVE_BACK_S = 3.0
MARGIN_S = 5.0
"""A command is given up so long before its lease ends."""
SUBMIT = Backoff(first_s=0.1, most_s=10.0)


class Commands:
    """The agent's part in `arc.v1`."""

    def __init__(self, place: Place, store: Store, control: Control, dispatcher: Dispatcher) -> None:
        self._place = place
        self._store = store
        self._control = control
        self._dispatcher = dispatcher
        self._running: dict[asyncio.Task[None], str] = {}
        """The id of the lease that each deals with."""

    async def give_back_left(self) -> None:
        """Release the leases that an earlier life of the agent held, so that their commands come again at once."""
        for number, lease_id in self._store.unfinished():
            try:
                await self._control.give_back(lease_id)
            except (NotFound, Conflict):
                _LOG.debug("lease %s has ended", lease_id)
            self._store.end_command(number, "given back")

    async def poll(self) -> None:
        """One request for commands; each that comes is dealt with beside the next request."""
        while len(self._running) >= CAPACITY:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        most = min(MOST_LEASES, CAPACITY - len(self._running))
        leased = await self._control.lease(most, LEASE_S, HOLD_S, holding=self._running.values())
        for lease in leased.leases:
            task = asyncio.create_task(self._deal(lease, leased.url))
            self._running[task] = lease.lease_id
            task.add_done_callback(self._running.pop)

    async def stop(self) -> None:
        """Take no result any more, and give back what was under way; what cannot be, is when the agent starts again."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        with suppress(AlienError, TimeoutError):  # the start does it again
            async with asyncio.timeout(GIVE_BACK_S):
                await self.give_back_left()

    async def _deal(self, lease: arc.Lease, url: str) -> None:
        number = self._store.begin_command(_line(lease), lease.lease_id)
        outcome = await self._outcome(lease, url)
        self._store.end_command(number, outcome)
        _LOG.info("command %s (%s), attempt %d: %s", lease.command_id, lease.envelope.command, lease.attempt, outcome)

    async def _outcome(self, lease: arc.Lease, url: str) -> str:
        """What became of a command, for the log."""
        envelope = lease.envelope
        seconds = self._seconds(lease)
        try:
            async with asyncio.timeout(seconds):
                response = await self._response(envelope)
        except TimeoutError:
            if not envelope.deadline or envelope.deadline > lease.lease_expires_at:
                return "timeout"  # the lease runs out, and the command is delivered again
            response = arc.Failure(code="COMMAND_EXPIRED", message="it was not answered before its deadline")
        target = urljoin(url, envelope.response_handling.submit_response_url)
        return await self._submit(target, response, until=time.monotonic() + seconds + MARGIN_S)

    def _seconds(self, lease: arc.Lease) -> float:
        """How long a command has, by the control plane's clock."""
        ends = [lease.lease_expires_at.timestamp() - MARGIN_S]
        if lease.envelope.deadline:
            ends.append(lease.envelope.deadline.timestamp())
        return max(0.0, min(ends) - self._control.now())

    async def _response(self, envelope: arc.Envelope) -> arc.Response:
        try:
            self._check_allowed(envelope.command)
            outputs = self._store.outputs
            workload = dispatch.find(outputs.workloads if outputs else (), envelope)
            inline = await dispatch.with_inline_parameters(envelope, self._exchange)
            response = await self._dispatcher.send(inline, workload)
            return await dispatch.within_limit(response, envelope.response_handling, self._exchange)
        except AlienError as error:
            return arc.Failure(code=error.code, message=error.message)

    async def _exchange(self, request: arc.PresignedRequest, content: bytes | None) -> bytes:
        """A large body, fetched or put; while the control plane does not answer, until the command's time is over."""
        failures = 0
        while True:
            try:
                return await self._control.exchange(request, content)
            except Unavailable:
                failures += 1
                await asyncio.sleep(SUBMIT.pause(failures))

    def _check_allowed(self, command: str) -> None:
        """Raises Forbidden where the customer, or the vendor's signed config, does not allow the command."""
        mine, current = say.read(self._place.say), self._store.current
        vendors = say.vendor_say(current.config.values if current and current.config else {})
        if not say.permits(mine, vendors, command):
            raise Forbidden(f"the customer does not allow the command {command}")

    async def _submit(self, url: str, response: arc.Response, until: float) -> str:
        """Send a result until the control plane has it, or the lease is over and the command comes again."""
        failures = 0
        while True:
            try:
                await self._control.respond(url, response)
            except Unavailable as error:
                failures += 1
                if time.monotonic() > until:
                    return f"not delivered: {error.code}"
                await asyncio.sleep(SUBMIT.pause(failures))
            except AlienError as error:  # it has ended meanwhile, or was taken back
                return f"not taken: {error.code}"
            else:
                return "success" if isinstance(response, arc.Success) else response.code


def _line(lease: arc.Lease) -> CommandLine:
    return CommandLine(
        at=datetime.now(UTC),
        command_id=lease.command_id,
        command=lease.envelope.command,
        target=lease.envelope.target.resource_id,
        attempt=lease.attempt,
        outcome=RUNNING,
    )
