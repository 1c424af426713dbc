"""The client that blocks. One may be used by many threads."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx

from alien_iac.client import flows, transport
from alien_iac.client.flows import Ask, Flow, Options, Watch
from alien_iac.errors import Unavailable
from alien_iac.protocol import arc
from alien_iac.protocol.signing import Signer

T = TypeVar("T")


class Commands:
    """Commands of one control plane. `token` has scope `send`; `signer` signs each command, for customers who ask that.

    Every call raises Unavailable where the control plane does not answer after several tries, and Unauthorized,
    Forbidden, NotFound, InvalidInput or Conflict for what it refuses.
    """

    def __init__(
        self, url: str, token: str, *, signer: Signer | None = None, transport_: httpx.BaseTransport | None = None
    ) -> None:
        self._url = transport.base(url)
        self._token = token
        self._signer = signer
        self._http = httpx.Client(timeout=transport.TIMEOUT, transport=transport_)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def invoke(
        self,
        deployment: str,
        command: str,
        parameters: object = None,
        *,
        watch: Watch | None = None,
        **options: Unpack[Options],
    ) -> Any:
        """Send a command and wait for its result. `watch` is called with its status about every second.

        Raises HandlerFailed, CommandExpired, CommandExhausted or CommandCancelled where there is no result; the context
        of each has `commandId`, `state` and `commandCode`.
        """
        return self._run(flows.invoke(flows.sent(deployment, command, parameters, options, self._signer), watch))

    def send(self, deployment: str, command: str, parameters: object = None, **options: Unpack[Options]) -> str:
        """Send a command, and wait for nothing; its id."""
        return self._run(flows.send(flows.sent(deployment, command, parameters, options, self._signer)))

    def result(self, command_id: str, timeout: float = flows.TIMEOUT_S, watch: Watch | None = None) -> Any:
        """The result of a command that was sent before; waits up to `timeout` seconds. Raises as `invoke` does."""
        return self._run(flows.result(command_id, timeout, watch))

    def status(self, command_id: str, wait: float = 0) -> arc.CommandStatus:
        """How a command is; held for up to `wait` seconds (25 at most) until it has ended."""
        return self._run(flows.status(command_id, wait))

    def cancel(self, command_id: str) -> arc.CommandStatus:
        """End a command, unless it has ended. A handler that runs is not stopped; its result is dropped."""
        return self._run(flows.cancel(command_id))

    def ls(self, deployment: str | None = None, state: arc.State | None = None) -> Iterator[arc.CommandSummary]:
        """Commands, newest first, fetched page by page."""
        cursor: str | None = None
        while True:
            page = self._run(flows.page(deployment, state, cursor))
            yield from page.items
            if not (cursor := page.next):
                return

    def _run(self, flow: Flow[T]) -> T:
        try:
            ask = next(flow)
            while True:
                try:
                    answer = self._ask(ask)
                except Unavailable as error:
                    ask = flow.throw(error)
                else:
                    ask = flow.send(answer)
        except StopIteration as end:
            value: T = end.value
            return value

    def _ask(self, ask: Ask) -> httpx.Response:
        pauses = transport.pauses()
        while True:
            try:
                return self._once(ask)
            except Unavailable:
                pause = next(pauses, None)
                if pause is None:
                    raise
                time.sleep(pause)

    def _once(self, ask: Ask) -> httpx.Response:
        try:
            return transport.checked(self._http.request(**transport.request(self._url, self._token, ask)))
        except httpx.TransportError as error:
            raise transport.silent(self._url, error) from error
