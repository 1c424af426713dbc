"""A Queue on Google Cloud: a topic that is sent to, and the one subscription to it, pulled by Containers.

A Function's subscription is pushed to it, and its adapter receives; `receive` here is for queues without one. Pub/Sub
takes a receipt whose time is over without a word, and delivers the message again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.types import PubsubMessage, ReceivedMessage

from alien_iac.protocol import bindings
from alien_iac.runtime.stores import payloads
from alien_iac.runtime.stores.batches import send_parts
from alien_iac.runtime.stores.gcp_errors import translated
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.queue import QueueMessage, SendResult
from alien_iac.runtime.work import Payload

SECONDS = 20.0
SHORTEST_WAIT_SECONDS = 1.0
"""How long a receive that should not wait gives Google Cloud to look: it looks in several places."""
BATCH_MESSAGES, BATCH_BYTES = 100, 8_000_000
"""What one request sends; Pub/Sub takes 1,000 messages and 10 MB."""


class PubsubQueue:
    """One topic and its subscription. Its clients may be used by many threads."""

    def __init__(
        self, publisher: PublisherClient, subscriber: SubscriberClient, binding: bindings.PubsubQueue, resource_id: str
    ) -> None:
        self._publisher = publisher
        self._subscriber = subscriber
        self._topic = binding.topic
        self._subscription = binding.subscription
        self._about = f'queue "{resource_id}"'

    def send(self, message: Payload) -> None:
        self._publish([message])

    def send_batch(self, messages: Sequence[Payload]) -> list[SendResult]:
        return send_parts(messages, self._publish, most=BATCH_MESSAGES, most_bytes=BATCH_BYTES)

    def receive(self, max_messages: int, wait_seconds: float) -> list[QueueMessage]:
        wait = max(wait_seconds, SHORTEST_WAIT_SECONDS)
        with translated(self._about):
            try:
                answer = self._subscriber.pull(
                    subscription=self._subscription, max_messages=max_messages, retry=None, timeout=wait
                )
            except DeadlineExceeded:
                return []
        return [_message(received) for received in answer.received_messages]

    def ack(self, receipt_handle: str) -> None:
        with translated(self._about):
            self._subscriber.acknowledge(subscription=self._subscription, ack_ids=[receipt_handle], timeout=SECONDS)

    def nack(self, receipt_handle: str) -> None:
        self._extend(receipt_handle, 0)

    def renew(self, receipt_handle: str, seconds: int) -> None:
        self._extend(receipt_handle, seconds)

    def purge(self) -> None:
        with translated(self._about):
            request = {"subscription": self._subscription, "time": datetime.now(UTC)}
            self._subscriber.seek(request=request, timeout=SECONDS)

    def _publish(self, messages: Iterable[Payload]) -> None:
        sent = [PubsubMessage(data=m.text.encode(), attributes=payloads.attributes(m)) for m in messages]
        with translated(self._about):
            self._publisher.publish(topic=self._topic, messages=sent, timeout=SECONDS)

    def _extend(self, receipt_handle: str, seconds: int) -> None:
        with translated(self._about):
            self._subscriber.modify_ack_deadline(
                subscription=self._subscription,
                ack_ids=[receipt_handle],
                ack_deadline_seconds=seconds,
                timeout=SECONDS,
            )


def _message(received: ReceivedMessage) -> QueueMessage:
    message = received.message
    payload, kind = payloads.value(payloads.received(message.data, message.attributes.get(payloads.CONTENT_TYPE)))
    return QueueMessage(
        payload=payload,
        payload_type=kind,
        receipt_handle=received.ack_id,
        # Pub/Sub counts where there is a place for dead letters.
        attempt=max(received.delivery_attempt, 1),
        id=message.message_id,
        trace=message.attributes.get(payloads.TRACE_PARENT),
    )


def connect(raw: dict[str, Any], resource_id: str) -> PubsubQueue:
    """The topic and subscription that a binding names, with the workload's own service account."""
    binding = parse(bindings.PubsubQueue, raw, resource_id)
    with translated(f'queue "{resource_id}"'):
        return PubsubQueue(PublisherClient(), SubscriberClient(), binding, resource_id)
