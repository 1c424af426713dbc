"""A Queue on `local`: the client of the deployment's broker."""

from __future__ import annotations

import time
import weakref
from collections.abc import Sequence
from typing import Any

import httpx
import pydantic_core

from alien_iac.errors import AlienError, Conflict, Forbidden, InvalidInput, NotFound, Unauthorized, Unavailable
from alien_iac.protocol import queue_http as wire
from alien_iac.protocol.bindings import LocalQueue
from alien_iac.runtime.redelivery import Backoff
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.queue import QueueMessage, SendResult
from alien_iac.runtime.work import Payload

_ERRORS: dict[int, type[AlienError]] = {
    400: InvalidInput,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: InvalidInput,
}
CONNECT_TRIES = 10
"""A broker that restarts refuses connections for a moment; nothing was sent then, so it is safe to try again. About six
seconds in all."""


class BrokerQueue:
    """One queue of the broker."""

    def __init__(self, binding: LocalQueue, resource_id: str, *, connect_tries: int = CONNECT_TRIES) -> None:
        self._id = resource_id
        self._connect_tries = connect_tries
        self._endpoint = binding.endpoint
        # Never through a proxy: the broker is on this machine.
        headers = {"Authorization": f"Bearer {binding.token}"}
        self._http = httpx.Client(headers=headers, trust_env=False, timeout=30)
        # A module keeps its links for as long as the process lives; a test lets them go.
        self.close = weakref.finalize(self, self._http.close)

    def send(self, message: Payload) -> None:
        self._call(wire.Send(message=to_wire(message)))

    def send_batch(self, messages: Sequence[Payload]) -> list[SendResult]:
        answer = self._call(wire.SendBatch(messages=tuple(map(to_wire, messages))))
        return [_sent(result) for result in wire.RESULTS.validate_json(answer)]

    def receive(self, max_messages: int, wait_seconds: float) -> list[QueueMessage]:
        answer = self._call(wire.Receive(max_messages=max_messages, wait_seconds=wait_seconds))
        return [from_wire(received) for received in wire.RECEIVED.validate_json(answer)]

    def ack(self, receipt_handle: str) -> None:
        self._call(wire.Ack(receipt=receipt_handle))

    def nack(self, receipt_handle: str) -> None:
        self._call(wire.Nack(receipt=receipt_handle))

    def renew(self, receipt_handle: str, seconds: int) -> None:
        self._call(wire.Renew(receipt=receipt_handle, duration_seconds=seconds))

    def purge(self) -> None:
        self._call(wire.Purge())

    def _call(self, operation: wire.Operation) -> bytes:
        backoff = Backoff(first=0.1, longest=1.0)
        body = operation.model_dump_json(by_alias=True, exclude_none=False)
        for left in range(self._connect_tries - 1, -1, -1):
            try:
                answer = self._http.post(self._endpoint, content=body, headers={"Content-Type": "application/json"})
                return checked(answer, self._id)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if not left:
                    raise away(error, self._id) from error
                time.sleep(backoff.next())
            except httpx.HTTPError as error:
                raise away(error, self._id) from error
        raise AssertionError("the last try returns or raises")


def checked(answer: httpx.Response, resource_id: str) -> bytes:
    """The body of a good answer; the error that a bad one speaks of."""
    if answer.status_code == httpx.codes.OK:
        return answer.content
    try:
        told: Any = pydantic_core.from_json(answer.content)
        text = str(told["message"])
    except (ValueError, KeyError, TypeError):
        text = f"the broker answered {answer.status_code}"
    raise _ERRORS.get(answer.status_code, Unavailable)(f'queue "{resource_id}": {text}')


def away(error: httpx.HTTPError, resource_id: str) -> Unavailable:
    """What a broker that does not answer is to the caller."""
    return Unavailable(f'queue "{resource_id}": the broker does not answer ({type(error).__name__})')


def to_wire(message: Payload) -> wire.Message:
    """A message as it travels."""
    if message.is_json:
        return wire.JsonMessage(data=pydantic_core.from_json(message.text), traceparent=message.trace)
    return wire.TextMessage(data=message.text, traceparent=message.trace)


def from_wire(received: wire.Received) -> QueueMessage:
    """A message as its receiver gets it."""
    return QueueMessage(
        payload=received.payload.data,
        payload_type=received.payload.type,
        receipt_handle=received.receipt_handle,
        attempt=received.attempt,
        id=received.message_id or received.receipt_handle,
        trace=received.payload.traceparent,
    )


def _sent(result: wire.BatchResult) -> SendResult:
    match result.status:
        case "sent" | "rejected":
            return SendResult(status=result.status, message=result.message or "")
        case _:
            return SendResult(status="unknown", message=result.message or "")


def connect(raw: dict[str, Any], resource_id: str) -> BrokerQueue:
    """The queue that a binding names."""
    return BrokerQueue(parse(LocalQueue, raw, resource_id), resource_id)
