"""One command given to its workload, inside the account: a Function is called, a Container finds it in the mailbox."""

import asyncio
import base64
from collections.abc import Awaitable, Callable

from alien_iac.agent.backoff import Backoff
from alien_iac.agent.invokers import Invokers
from alien_iac.agent.mailbox import Lost, Mailbox
from alien_iac.errors import NotFound, Unavailable
from alien_iac.protocol import arc
from alien_iac.protocol.outputs import Workload

_LOCAL = Backoff(first_s=0.1, most_s=2.0)
Exchange = Callable[[arc.PresignedRequest, bytes | None], Awaitable[bytes]]


class Dispatcher:
    """Knows how each workload is reached."""

    def __init__(self, mailbox: Mailbox, invokers: Invokers) -> None:
        self._mailbox = mailbox
        self._invokers = invokers

    async def send(self, envelope: arc.Envelope, workload: Workload) -> arc.Response:
        """The workload's response; while the workload is not there, this waits for it. Cancel it when time is over.

        Raises Lost where the workload had the command and did not end it: that was an attempt.
        """
        if workload.invoke is None:
            return await self._mailbox.deliver(envelope)
        invoker = self._invokers.of(workload.invoke.kind)
        failures = 0
        while True:
            try:
                return await invoker.call(envelope, workload.invoke)
            except Lost:
                raise
            except Unavailable:
                failures += 1
                await asyncio.sleep(_LOCAL.pause(failures))


def find(workloads: tuple[Workload, ...], envelope: arc.Envelope) -> Workload:
    """The workload that a command is for. Raises NotFound where it takes none."""
    for workload in workloads:
        if workload.id == envelope.target.resource_id and workload.commands:
            return workload
    named = ", ".join(w.id for w in workloads if w.commands) or "none"
    raise NotFound(f"{envelope.target.resource_id} takes no commands here; these do: {named}")


async def with_inline_parameters(envelope: arc.Envelope, exchange: Exchange) -> arc.Envelope:
    """The envelope as a workload without a way out can read it: large parameters are fetched for it."""
    match envelope.params:
        case arc.Stored(storage_get_request=arc.PresignedRequest() as request):
            content = await exchange(request, None)
            inline = arc.Inline(inline_base64=base64.b64encode(content).decode())
            return envelope.model_copy(update={"params": inline})
        case _:
            return envelope


async def within_limit(response: arc.Response, handling: arc.ResponseHandling, exchange: Exchange) -> arc.Response:
    """The response as the control plane takes it: a large result goes by its own request."""
    match response:
        case arc.Success(response=arc.Inline(inline_base64=text)) if len(text) * 3 // 4 > handling.max_inline_bytes:
            try:
                content = base64.b64decode(text, validate=True)
            except ValueError:  # binascii's, or what is no ASCII at all
                return arc.Failure(code="INVALID_ENVELOPE", message="the workload's result is not base64")
            await exchange(handling.storage_upload_request, content)
            return arc.Success(response=arc.Stored(size=len(content), storage_put_used=True))
        case _:
            return response
