"""Commands from the vendor: leased for the whole deployment, checked against the policy, dispatched, answered.

At least once: a command whose result did not arrive is delivered again. The customer's log has every one of them.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from alien_iac.agent import dispatch
from alien_iac.agent.backoff import Backoff
from alien_iac.agent.client import HOLD_S, Control, Wanted
from alien_iac.agent.dispatch import Dispatcher
from alien_iac.agent.mailbox import Lost
from alien_iac.agent.policy import Policy
from alien_iac.agent.store import RUNNING, CommandLine, Store
from alien_iac.errors import AlienError, Conflict, NotFound, Unavailable
from alien_iac.protocol import arc

_LOG = logging.getLogger(__name__)
CAPACITY = 32
"""Commands of one workload that are under way at once. One that does not answer keeps no other from its commands."""
MOST_LEASES = 16
LEASE_S = 960
"""Renewed when half of it is over. So long an outage of the control plane changes nothing; an agent that starts again
gives back what it held, so that nothing waits for the end."""
BUSY_HOLD_S = 1
"""How long a request is held while a workload is full: it must be asked for again soon after."""
GIVE_BACK_S = 3.0
MARGIN_S = 5.0
"""A command is given up so long before its lease ends."""
SUBMIT = Backoff(first_s=0.1, most_s=10.0)


class Commands:
    """The agent's part in `arc.v1`."""

    def __init__(
        self, policy: Policy, store: Store, control: Control, dispatcher: Dispatcher, lease_s: int = LEASE_S
    ) -> None:
        self._policy = policy
        self._store = store
        self._control = control
        self._dispatcher = dispatcher
        self._lease_s = lease_s
        self._running: dict[asyncio.Task[None], arc.Lease] = {}

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
        held = list(self._running.values())
        full = tuple(name for name, count in Counter(_target(one) for one in held).items() if count >= CAPACITY)
        wanted = Wanted(most=MOST_LEASES, seconds=self._lease_s, full=full, holding=[one.lease_id for one in held])
        leased = await self._control.lease(wanted, BUSY_HOLD_S if full else HOLD_S)
        for lease in leased.leases:
            task = asyncio.create_task(self._deal(lease, leased.url))
            self._running[task] = lease
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
        outcome = await self._outcome(lease, url, number)
        self._store.end_command(number, outcome)
        _LOG.info("command %s (%s), attempt %d: %s", lease.command_id, lease.envelope.command, lease.attempt, outcome)

    async def _outcome(self, lease: arc.Lease, url: str, number: int) -> str:
        """What became of a command, for the log."""
        deadline = lease.envelope.deadline
        try:
            async with asyncio.timeout(self._seconds(lease.lease_expires_at, deadline)) as limit:
                response = await self._while_kept(lease, limit, self._response(lease.envelope, number))
        except TimeoutError:
            if not deadline or self._left(deadline) > 0:
                return "timeout"  # the lease runs out, and the command is delivered again
            response = arc.Failure(code="COMMAND_EXPIRED", message="it was not answered before its deadline")
        except Lost as error:
            await self._give_back(lease, limit)
            return f"given back: {error.message}"
        target = urljoin(url, lease.envelope.response_handling.submit_response_url)
        return await self._submit(target, response, _end(limit))

    async def _while_kept(
        self, lease: arc.Lease, limit: asyncio.Timeout, work: Coroutine[Any, Any, arc.Response]
    ) -> arc.Response:
        keeping = asyncio.create_task(self._keep(lease, limit))
        try:
            return await work
        finally:
            keeping.cancel()

    async def _keep(self, lease: arc.Lease, limit: asyncio.Timeout) -> None:
        """Renew a lease again and again; each time its command has longer."""
        failures = 0
        while True:
            await asyncio.sleep(SUBMIT.pause(failures) if failures else self._lease_s / 2)
            try:
                ends = await self._control.renew(lease.lease_id, self._lease_s)
            except (NotFound, Conflict):
                return  # it has ended, or an older control plane knows no renewal
            except AlienError:
                failures += 1
            else:
                failures = 0
                limit.reschedule(asyncio.get_running_loop().time() + self._seconds(ends, lease.envelope.deadline))

    async def _give_back(self, lease: arc.Lease, limit: asyncio.Timeout) -> None:
        """Let the command be delivered again at once; where that cannot be said, when its lease has run out."""
        failures = 0
        while time.monotonic() < _end(limit):
            try:
                await self._control.give_back(lease.lease_id)
            except (NotFound, Conflict):
                return
            except AlienError:
                failures += 1
                await asyncio.sleep(SUBMIT.pause(failures))
            else:
                return

    def _seconds(self, lease_ends: datetime, deadline: datetime | None) -> float:
        """How long a command has, by the control plane's clock."""
        of_lease = self._left(lease_ends) - MARGIN_S
        return max(0.0, min(of_lease, self._left(deadline)) if deadline else of_lease)

    def _left(self, until: datetime) -> float:
        return until.timestamp() - self._control.now()

    async def _response(self, envelope: arc.Envelope, number: int) -> arc.Response:
        try:
            self._policy.check(envelope)
            outputs = self._store.outputs
            workload = dispatch.find(outputs.workloads if outputs else (), envelope)
            whole = await dispatch.with_inline_parameters(envelope, self._exchange)
            if signer := self._policy.check_signature(whole):
                self._store.note_signer(number, signer)
            left = max(0.0, self._left(envelope.deadline)) if envelope.deadline else None
            sent = whole.model_copy(update={"remaining_seconds": left, "signature": None})
            response = await self._dispatcher.send(sent, workload)
            return await dispatch.within_limit(response, envelope.response_handling, self._exchange)
        except Lost:
            raise
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


def _target(lease: arc.Lease) -> str:
    return lease.envelope.target.resource_id


def _end(limit: asyncio.Timeout) -> float:
    """Until when (monotonic seconds) a lease holds, whose command had `limit`."""
    loop, now = asyncio.get_running_loop(), time.monotonic()
    ends = limit.when()
    return now if ends is None else now + (ends - loop.time()) + MARGIN_S


def _line(lease: arc.Lease) -> CommandLine:
    return CommandLine(
        at=datetime.now(UTC),
        command_id=lease.command_id,
        command=lease.envelope.command,
        target=lease.envelope.target.resource_id,
        attempt=lease.attempt,
        outcome=RUNNING,
    )
