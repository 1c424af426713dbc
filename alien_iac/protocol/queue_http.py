"""The `local-queue-http` protocol between a workload and the deployment's broker, as the public SDK speaks it too.

Every operation is a POST to the queue's endpoint with its bearer token. An answer other than 200 holds an error object
with `code`, `message`, `retryable` and `internal`. Ours beyond the public protocol, and optional: `waitSeconds` of a
receive, `messageId` of what was received, and `traceparent` of a message, the trace of whoever sent it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from alien_iac.protocol.wire import Open


class JsonMessage(Open):
    """Any JSON value."""

    type: Literal["json"] = "json"
    data: Any
    traceparent: str | None = Field(default=None, max_length=100)


class TextMessage(Open):
    """Text."""

    type: Literal["text"] = "text"
    data: str
    traceparent: str | None = Field(default=None, max_length=100)


Message = Annotated[JsonMessage | TextMessage, Field(discriminator="type")]


class Send(Open):
    """Answer: null."""

    operation: Literal["send"] = "send"
    message: Message


class SendBatch(Open):
    """Answer: a list of `BatchResult`, `sent`, `rejected` or `unknown`."""

    operation: Literal["sendBatch"] = "sendBatch"
    messages: tuple[Message, ...]


class Receive(Open):
    """Answer: a list of `Received`."""

    operation: Literal["receive"] = "receive"
    max_messages: int = Field(default=1, ge=1, le=10)
    wait_seconds: float = Field(default=0, ge=0, le=20)


class Ack(Open):
    """Answer: null."""

    operation: Literal["ack"] = "ack"
    receipt: str


class Nack(Open):
    """Answer: null."""

    operation: Literal["nack"] = "nack"
    receipt: str


class AckBatch(Open):
    """Answer: a list of `BatchResult`, `acknowledged` or `failed`."""

    operation: Literal["ackBatch"] = "ackBatch"
    receipts: tuple[str, ...]


class Renew(Open):
    """Answer: null."""

    operation: Literal["renew"] = "renew"
    receipt: str
    duration_seconds: int = Field(ge=1, le=600)


class Purge(Open):
    """Answer: null."""

    operation: Literal["purge"] = "purge"


Operation = Annotated[
    Send | SendBatch | Receive | Ack | Nack | AckBatch | Renew | Purge, Field(discriminator="operation")
]


class BatchResult(Open):
    """How one of several fared."""

    status: Literal["sent", "rejected", "unknown", "acknowledged", "failed"]
    code: str | None = None
    message: str | None = None


class Received(Open):
    """One message that is now hidden from others."""

    payload: Message
    receipt_handle: str
    attempt: int
    message_id: str = ""


OPERATION: TypeAdapter[Operation] = TypeAdapter(Operation)
RESULTS = TypeAdapter(list[BatchResult])
RECEIVED = TypeAdapter(list[Received])
