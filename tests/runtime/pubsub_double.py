"""A double of Pub/Sub, for tests, over its gRPC interface: one pulled subscription to a topic, with dead letters.

The emulators from package indexes have no dead letters, no seek and a pull that does not wait. Left out: push, order,
filters, streaming pull, delivery exactly once, retention, and retry policies.
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1.types import pubsub
from runtime.grpc_double import Refusal, Rpc


@dataclass(eq=False)
class _Message:
    content: pubsub.PubsubMessage
    attempts: int = 0
    receipt: str = ""
    free_at: float = 0.0


@dataclass(eq=False)
class _Subscription:
    deadline: float
    most: int
    waiting: list[_Message] = field(default_factory=list)
    dead: list[_Message] = field(default_factory=list)


class Pubsub:
    """All topics and their subscriptions, in memory."""

    def __init__(self) -> None:
        self._topics: dict[str, _Subscription] = {}
        self._subscriptions: dict[str, _Subscription] = {}
        self._changed = threading.Condition()

    def make(self, topic: str, subscription: str, *, deadline: float, most: int) -> None:
        """A topic and the subscription to it."""
        self._topics[topic] = self._subscriptions[subscription] = _Subscription(deadline, most)

    def publisher(self) -> dict[str, Rpc]:
        return {"Publish": Rpc(pubsub.PublishRequest, pubsub.PublishResponse, self._publish)}

    def subscriber(self) -> dict[str, Rpc]:
        return {
            "Pull": Rpc(pubsub.PullRequest, pubsub.PullResponse, self._pull),
            "Acknowledge": Rpc(pubsub.AcknowledgeRequest, Empty, self._acknowledge),
            "ModifyAckDeadline": Rpc(pubsub.ModifyAckDeadlineRequest, Empty, self._modify),
            "Seek": Rpc(pubsub.SeekRequest, pubsub.SeekResponse, self._seek),
        }

    def _publish(self, request: pubsub.PublishRequest, context: grpc.ServicerContext) -> pubsub.PublishResponse:
        del context
        ids = []
        with self._changed:
            subscription = _known(self._topics, request.topic)
            for content in request.messages:
                content.message_id = uuid.uuid4().hex
                content.publish_time = datetime.now(UTC)
                subscription.waiting.append(_Message(content))
                ids.append(content.message_id)
            self._changed.notify_all()
        return pubsub.PublishResponse(message_ids=ids)

    def _pull(self, request: pubsub.PullRequest, context: grpc.ServicerContext) -> pubsub.PullResponse:
        with self._changed:
            subscription = _known(self._subscriptions, request.subscription)
            taken: list[_Message] = []
            # Nobody is given what nobody waits for any more.
            while context.is_active() and not (taken := self._take(subscription, request.max_messages)):
                self._changed.wait(0.05)
        received = [
            pubsub.ReceivedMessage(ack_id=m.receipt, message=m.content, delivery_attempt=m.attempts) for m in taken
        ]
        return pubsub.PullResponse(received_messages=received)

    def _take(self, subscription: _Subscription, most: int) -> list[_Message]:
        now = time.monotonic()
        free = [message for message in subscription.waiting if message.free_at <= now]
        subscription.dead += [message for message in free if message.attempts >= subscription.most]
        subscription.waiting = [message for message in subscription.waiting if message not in subscription.dead]
        taken = [message for message in free if message.attempts < subscription.most][:most]
        for message in taken:
            message.attempts += 1
            message.receipt = uuid.uuid4().hex
            message.free_at = now + subscription.deadline
        return taken

    def _acknowledge(self, request: pubsub.AcknowledgeRequest, context: grpc.ServicerContext) -> Empty:
        del context
        with self._changed:
            subscription = _known(self._subscriptions, request.subscription)
            for message in _held(subscription, request.ack_ids):
                subscription.waiting.remove(message)
        return Empty()

    def _modify(self, request: pubsub.ModifyAckDeadlineRequest, context: grpc.ServicerContext) -> Empty:
        del context
        with self._changed:
            for message in _held(_known(self._subscriptions, request.subscription), request.ack_ids):
                message.free_at = time.monotonic() + request.ack_deadline_seconds
            self._changed.notify_all()
        return Empty()

    def _seek(self, request: pubsub.SeekRequest, context: grpc.ServicerContext) -> pubsub.SeekResponse:
        del context
        with self._changed:
            subscription = _known(self._subscriptions, request.subscription)
            subscription.waiting = [m for m in subscription.waiting if m.content.publish_time > request.time]
        return pubsub.SeekResponse()


def _known(things: dict[str, _Subscription], name: str) -> _Subscription:
    if name not in things:
        raise Refusal(grpc.StatusCode.NOT_FOUND, f"Resource not found (resource={name.rpartition('/')[2]}).")
    return things[name]


def _held(subscription: _Subscription, receipts: list[str]) -> list[_Message]:
    """The messages of receipts that are still good; of others nothing is said."""
    now = time.monotonic()
    return [message for message in subscription.waiting if message.receipt in receipts and message.free_at > now]
