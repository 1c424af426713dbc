"""A Queue on AWS: a standard queue of SQS, which the public `alienplatform` SDK sends to and receives from too.

A message is its text; the content type in its attribute says whether that is JSON, where we sent it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import botocore.exceptions

from alien_iac.errors import Conflict
from alien_iac.protocol.bindings import SqsQueue
from alien_iac.runtime.stores import aws_client
from alien_iac.runtime.stores.batches import send_parts
from alien_iac.runtime.stores.parsing import parse
from alien_iac.runtime.stores.payloads import CONTENT_TYPE, TRACE_PARENT, attributes, received, value
from alien_iac.runtime.stores.queue import QueueMessage, SendResult
from alien_iac.runtime.work import Payload

BATCH_MESSAGES, BATCH_BYTES = 10, 262_144
"""SQS takes so much at once; the bytes count the attributes too."""
_MARK_BYTES = 160
"""More than the attributes of one message have."""
_REGION = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com")


class Sqs:
    """One queue."""

    def __init__(self, client: Any, url: str, resource_id: str) -> None:
        self._client = client
        self._url = url
        self._id = resource_id

    def send(self, message: Payload) -> None:
        with self._translated():
            self._client.send_message(QueueUrl=self._url, **_sent(message))

    def send_batch(self, messages: Sequence[Payload]) -> list[SendResult]:
        room = BATCH_BYTES - BATCH_MESSAGES * _MARK_BYTES
        return send_parts(messages, self._send_part, most=BATCH_MESSAGES, most_bytes=room)

    def receive(self, max_messages: int, wait_seconds: float) -> list[QueueMessage]:
        with self._translated():
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=max_messages,
                WaitTimeSeconds=math.ceil(wait_seconds),
                AttributeNames=["ApproximateReceiveCount"],
                MessageAttributeNames=[CONTENT_TYPE, TRACE_PARENT],
            )
        return [_received(message) for message in answer.get("Messages", ())]

    def ack(self, receipt_handle: str) -> None:
        with self._translated(), self._receipts():
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt_handle)

    def nack(self, receipt_handle: str) -> None:
        self._hide(receipt_handle, 0)

    def renew(self, receipt_handle: str, seconds: int) -> None:
        self._hide(receipt_handle, seconds)

    def purge(self) -> None:
        # Within a minute; and once a minute, which SQS says by an error that is worth another try.
        with self._translated():
            self._client.purge_queue(QueueUrl=self._url)

    def _hide(self, receipt_handle: str, seconds: int) -> None:
        with self._translated(), self._receipts():
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )

    def _send_part(self, part: Sequence[Payload]) -> list[SendResult]:
        entries = [{"Id": str(number), **_sent(message)} for number, message in enumerate(part)]
        with self._translated():
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        failed = {int(each["Id"]): each for each in answer.get("Failed", ())}
        return [_result(failed.get(number)) for number in range(len(part))]

    def _translated(self) -> AbstractContextManager[None]:
        return aws_client.translated(f'queue "{self._id}"')

    @contextmanager
    def _receipts(self) -> Iterator[None]:
        """SQS has no word of its own for a receipt whose time is over: no other parameter can be bad here."""
        try:
            yield
        except botocore.exceptions.ClientError as error:
            if aws_client.code(error) not in ("InvalidParameterValue", "ReceiptHandleIsInvalid"):
                raise
            raise Conflict(f'queue "{self._id}": the receipt is no longer good') from error


def _sent(message: Payload) -> dict[str, Any]:
    marks = {name: {"DataType": "String", "StringValue": text} for name, text in attributes(message).items()}
    return {"MessageBody": message.text, "MessageAttributes": marks}


def _received(message: dict[str, Any]) -> QueueMessage:
    marks = {name: mark.get("StringValue") for name, mark in message.get("MessageAttributes", {}).items()}
    payload, kind = value(received(message["Body"].encode(), marks.get(CONTENT_TYPE)))
    return QueueMessage(
        payload=payload,
        payload_type=kind,
        receipt_handle=message["ReceiptHandle"],
        attempt=int(message["Attributes"]["ApproximateReceiveCount"]),
        id=message["MessageId"],
        trace=marks.get(TRACE_PARENT),
    )


def _result(failed: dict[str, Any] | None) -> SendResult:
    if failed is None:
        return SendResult(status="sent")
    return SendResult(status="rejected" if failed.get("SenderFault") else "unknown", message=str(failed["Code"]))


def connect(raw: dict[str, Any], resource_id: str) -> Sqs:
    """The queue that a binding names; it stands in the region that its URL names."""
    url = parse(SqsQueue, raw, resource_id).queue_url
    region = _REGION.match(url)
    return Sqs(aws_client.client("sqs", region[1] if region else None, resource_id), url, resource_id)
