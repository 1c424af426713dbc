"""Commands for the workloads that poll the agent themselves: held in memory, leased once, answered or given back.

Nothing here is durable, and nothing is delivered twice from here: what a workload gives back, or a dying agent forgets,
the control plane still has. It delivers it again, and counts the attempts.
"""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from alien_iac.errors import NotFound, Unavailable
from alien_iac.protocol import arc

INLINE_LIMIT = 64 * 2**20
"""Bytes of a result that a workload may hand to the agent in a body; the agent passes large ones on as it must."""


class Lost(Unavailable):
    """The workload had the command, and gave it back, or died over it, or let its lease run out."""


@dataclass
class _Item:
    """One command on its way; it waits until it is leased."""

    envelope: arc.Envelope
    reply: "asyncio.Future[arc.Response]"
    since: float = field(default_factory=time.monotonic)
    right: str = field(default_factory=lambda: uuid.uuid4().hex)
    """What the URL for the result carries, so that only who was given the command can answer it."""
    lease_id: str = ""
    end: asyncio.TimerHandle | None = None
    """Of its lease."""

    def lose(self) -> None:
        if not self.reply.done():
            self.reply.set_exception(
                Lost(f"{self.envelope.target.resource_id} gave the command back, or did not end it")
            )


class Mailbox:
    """One for all workloads of the deployment."""

    def __init__(self) -> None:
        self._items: dict[str, _Item] = {}
        self._changed = asyncio.Condition()
        self._closed = False

    async def close(self) -> None:
        """Let all polls go, with nothing, and hold none from now on: the agent ends."""
        self._closed = True
        await self._tell()

    async def deliver(self, envelope: arc.Envelope) -> arc.Response:
        """Hold a command until its workload has answered it; cancel this to take it back. Raises Lost."""
        item = _Item(envelope, asyncio.get_running_loop().create_future())
        self._items[envelope.command_id] = item
        await self._tell()
        try:
            return await item.reply
        finally:
            if item.end:
                item.end.cancel()
            if self._items.get(envelope.command_id) is item:
                del self._items[envelope.command_id]

    async def lease(self, workload_id: str, most: int, seconds: int, wait_s: float) -> tuple[arc.Lease, ...]:
        """Up to `most` commands for a workload, each for so many seconds; waits up to `wait_s` for the first."""
        deadline = time.monotonic() + wait_s
        while True:
            found = [item for item in self._items.values() if _is_free(item, workload_id)][:most]
            left = deadline - time.monotonic()
            if found or left <= 0 or self._closed:
                return tuple(_leased(item, seconds) for item in found)
            await self._wait(left)

    def holder(self, lease_id: str) -> str:
        """The id of the workload that holds a lease. Raises NotFound where it has ended."""
        return self._leased(lease_id).envelope.target.resource_id

    def release(self, lease_id: str) -> None:
        """The workload gives the command back. Raises NotFound where there is no such lease."""
        self._leased(lease_id).lose()

    def renew(self, lease_id: str, seconds: int) -> datetime:
        """Give the workload so many seconds from now; when that is over. Raises NotFound as `release` does."""
        return _hold(self._leased(lease_id), seconds)

    def _leased(self, lease_id: str) -> _Item:
        for item in self._items.values():
            if item.lease_id == lease_id and not item.reply.done():
                return item
        raise NotFound(f"there is no lease {lease_id}", hint="it has ended, or its command was answered")

    def answer(self, command_id: str, right: str, response: arc.Response) -> None:
        """Take a result. A second one, or one for a command that has ended, changes nothing. Raises NotFound."""
        item = self._items.get(command_id)
        if item is None or item.right != right:
            raise NotFound(f"the command {command_id} does not wait for a result here", hint="it has ended")
        if not item.reply.done():
            item.reply.set_result(response)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _wait(self, seconds: float) -> None:
        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait(), seconds)
            except TimeoutError:
                return


def _is_free(item: _Item, workload_id: str) -> bool:
    mine = item.envelope.target.resource_id == workload_id
    return mine and not item.lease_id and not item.reply.done()


def _hold(item: _Item, seconds: int) -> datetime:
    if item.end is not None:
        item.end.cancel()
    item.end = asyncio.get_running_loop().call_later(seconds, item.lose)
    return datetime.now(UTC) + timedelta(seconds=seconds)


def _leased(item: _Item, seconds: int) -> arc.Lease:
    item.lease_id = f"lease_{uuid.uuid4()}"
    ends = _hold(item, seconds)
    envelope = item.envelope
    answer = f"{envelope.command_id}/response?response_token={item.right}"
    handling = envelope.response_handling.model_copy(
        update={"submit_response_url": answer, "max_inline_bytes": INLINE_LIMIT}
    )
    left = envelope.remaining_seconds
    if left is not None:
        left = max(0.0, left - (time.monotonic() - item.since))
    return arc.Lease(
        lease_id=item.lease_id,
        lease_expires_at=ends,
        command_id=envelope.command_id,
        attempt=envelope.attempt,
        envelope=envelope.model_copy(update={"response_handling": handling, "remaining_seconds": left}),
    )
