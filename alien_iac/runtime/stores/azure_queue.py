"""A Queue on Azure: a queue of a Service Bus namespace, over AMQP, with the workload's own identity.

A Function's messages come to its adapter; `receive` here is for Containers. How long a message is hidden is the queue's
own time, never less; `renew` for longer asks for more of it in the background.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiveMode,
    ServiceBusReceiver,
    TransportType,
)
from azure.servicebus.exceptions import (
    MessageAlreadySettled,
    MessageLockLostError,
    MessageNotFoundError,
    MessagingEntityNotFoundError,
    ServiceBusAuthenticationError,
    ServiceBusAuthorizationError,
)

from alien_iac.errors import BindingInvalid, Conflict, Forbidden, NotFound, Unauthorized
from alien_iac.protocol import bindings
from alien_iac.runtime.stores import payloads
from alien_iac.runtime.stores.azure_errors import refused, translated
from alien_iac.runtime.stores.azure_identity import credential
from alien_iac.runtime.stores.azure_receivers import Outcome, Receivers
from alien_iac.runtime.stores.batches import send_parts
from alien_iac.runtime.stores.once import Once
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.queue import QueueMessage, SendResult
from alien_iac.runtime.work import Payload

TRIES, TRY_SECONDS = 3, 20.0
"""How often something is tried, and how long each time; without a limit the client would wait for ever."""
SHORTEST_WAIT_SECONDS = 1.0
"""How long a receive that should not wait gives Service Bus to answer: it says nothing when there is nothing."""
BATCH_MESSAGES, BATCH_BYTES = 100, 190_000
"""What one request sends; Service Bus takes 256 kB, with what it adds to each message."""
PURGE_MESSAGES = 200
ENDPOINTS = "AZURE_SERVICE_OVERRIDES_ENDPOINTS"
"""JSON of a service's name to the address to reach it at; `servicebus` is read here, as `sb://host:port`."""


class ServiceBusQueue:
    """One queue. What it opened stays open until it is closed, or nobody has it any more."""

    def __init__(self, client: ServiceBusClient, name: str, resource_id: str) -> None:
        self._client = client
        self._name = name
        self._about = f'queue "{resource_id}"'
        opened = ExitStack()
        self._sender = Once(lambda: opened.enter_context(client.get_queue_sender(name)))
        self._sending = threading.Lock()
        self._receivers = Receivers(lambda: client.get_queue_receiver(name).__enter__())
        opened.callback(self._receivers.close)
        # A module keeps its links for as long as the process lives; a test lets them go.
        self.close = weakref.finalize(self, opened.close)

    def send(self, message: Payload) -> None:
        self._send([message])

    def send_batch(self, messages: Sequence[Payload]) -> list[SendResult]:
        return send_parts(messages, self._send, most=BATCH_MESSAGES, most_bytes=BATCH_BYTES)

    def receive(self, max_messages: int, wait_seconds: float) -> list[QueueMessage]:
        with _translated(self._about):
            received = self._receivers.receive(max_messages, max(wait_seconds, SHORTEST_WAIT_SECONDS))
        return [_message(message) for message in received]

    def ack(self, receipt_handle: str) -> None:
        self._settle(receipt_handle, ServiceBusReceiver.complete_message)

    def nack(self, receipt_handle: str) -> None:
        self._settle(receipt_handle, ServiceBusReceiver.abandon_message)

    def renew(self, receipt_handle: str, seconds: int) -> None:
        with _translated(self._about):
            self._receivers.renew(receipt_handle, seconds)

    def purge(self) -> None:
        """Other workloads' messages in work are theirs: Service Bus lets nobody else remove them."""
        with _translated(self._about):
            self._receivers.settle_all(ServiceBusReceiver.complete_message)
            mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
            with self._client.get_queue_receiver(self._name, receive_mode=mode) as receiver:
                while receiver.receive_messages(PURGE_MESSAGES, SHORTEST_WAIT_SECONDS):
                    pass

    def _send(self, messages: list[Payload]) -> None:
        sent = [
            ServiceBusMessage(
                m.text,
                content_type=payloads.content_type(m),
                message_id=uuid.uuid4().hex,
                application_properties={payloads.TRACE_PARENT: m.trace} if m.trace else None,
            )
            for m in messages
        ]
        with _translated(self._about), self._sending:
            self._sender().send_messages(sent)

    def _settle(self, receipt: str, outcome: Outcome) -> None:
        with _translated(self._about):
            self._receivers.settle(receipt, outcome)


@contextmanager
def _translated(about: str) -> Iterator[None]:
    """As `azure_errors.translated`, with what Service Bus alone can answer."""
    with translated(about):
        try:
            yield
        except ServiceBusAuthenticationError as error:
            raise refused(about, Unauthorized) from error
        except ServiceBusAuthorizationError as error:
            raise refused(about, Forbidden) from error
        except MessagingEntityNotFoundError as error:
            raise refused(about, NotFound) from error
        except (KeyError, MessageLockLostError, MessageAlreadySettled, MessageNotFoundError) as error:
            raise Conflict(
                f"{about}: the receipt is not good any more; the message was given back or comes again"
            ) from error


def _message(received: ServiceBusReceivedMessage) -> QueueMessage:
    payload, kind = payloads.value(payloads.received(_body(received), received.content_type))
    return QueueMessage(
        payload=payload,
        payload_type=kind,
        receipt_handle=str(received.lock_token),
        # Service Bus counts the deliveries before this one.
        attempt=(received.delivery_count or 0) + 1,
        id=str(received.message_id or received.sequence_number),
        trace=_trace(received),
    )


def _trace(received: ServiceBusReceivedMessage) -> str | None:
    """The trace of whoever sent it. AMQP gives the names as bytes."""
    told = received.application_properties or {}
    found = told.get(payloads.TRACE_PARENT.encode()) or told.get(payloads.TRACE_PARENT)
    return found.decode(errors="replace") if isinstance(found, bytes) else None if found is None else str(found)


def _body(received: ServiceBusReceivedMessage) -> bytes:
    """The body of a message, also where another program sent it as a string and not as bytes."""
    body = received.body
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b"".join(body)


def connect(raw: dict[str, Any], resource_id: str) -> ServiceBusQueue:
    """The queue that a binding names, with the workload's own identity."""
    binding = parse(bindings.ServiceBusQueue, raw, resource_id)
    options: dict[str, Any] = {
        "connection_verify": os.environ.get("SSL_CERT_FILE"),
        "retry_total": TRIES - 1,
        "try_timeout": TRY_SECONDS,
    }
    if endpoint := _endpoint():
        options |= {"custom_endpoint_address": endpoint, "transport_type": TransportType.Amqp}
    client = ServiceBusClient(f"{binding.namespace}.servicebus.windows.net", credential(), **options)
    return ServiceBusQueue(client, binding.queue_name, resource_id)


def _endpoint() -> str | None:
    """Where Service Bus is to be reached, if not at its own address."""
    text = os.environ.get(ENDPOINTS)
    if not text:
        return None
    try:
        found = json.loads(text).get("servicebus")
    except (ValueError, AttributeError):
        raise BindingInvalid(f"{ENDPOINTS} is not a JSON object") from None
    return str(found) if found else None
