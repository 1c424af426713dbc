"""The events of AWS that start a Function, as far as they are read. What has none of these shapes is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from alien_iac.errors import InvalidInput
from alien_iac.protocol import arc, aws_lambda
from alien_iac.runtime.problems import problems

M = TypeVar("M", bound=BaseModel)
Kind = Literal["web", "messages", "created", "command", "schedule", "invoke", "health", "drain"]
_OURS: Mapping[str, Kind] = {"schedule": "schedule", "invoke": "invoke", "health": "health", "drain": "drain"}


class _Event(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class Attribute(_Event):
    """An attribute of a message."""

    string_value: str | None = None


class Counts(BaseModel):
    """What SQS itself says of a message."""

    receives: int = Field(default=1, alias="ApproximateReceiveCount")


class Record(_Event):
    """One message from SQS."""

    event_source: Literal["aws:sqs"]
    event_source_arn: str = Field(alias="eventSourceARN")
    message_id: str
    body: str
    attributes: Counts = Counts()
    message_attributes: dict[str, Attribute] = {}

    def attribute(self, name: str) -> str | None:
        """The text of an attribute."""
        found = self.message_attributes.get(name)
        return found.string_value if found else None

    @property
    def queue(self) -> tuple[str, str]:
        """The account and the name of the queue."""
        *_, account, name = self.event_source_arn.split(":")
        return account, name


class Batch(BaseModel):
    """Messages from SQS."""

    records: tuple[Record, ...] = Field(alias="Records", min_length=1)


class Bucket(_Event):
    """A bucket of S3."""

    name: str


class Object(_Event):
    """An object of S3. Its key comes as it is."""

    key: str
    etag: str = ""
    version_id: str = Field(default="", alias="version-id")
    sequencer: str = ""

    @property
    def version(self) -> str:
        """What tells this content from an earlier one."""
        return self.version_id or f"{self.etag}.{self.sequencer}"


class Detail(_Event):
    """What EventBridge says of a new object."""

    bucket: Bucket
    object: Object


class ObjectCreated(_Event):
    """A new object, by S3 through EventBridge."""

    source: Literal["aws.s3"]
    detail_type: Literal["Object Created"] = Field(alias="detail-type")
    detail: Detail


class Http(_Event):
    """The request's line."""

    method: str
    source_ip: str = ""


class RequestContext(_Event):
    """What AWS says of a request."""

    http: Http
    domain_name: str = "localhost"


class WebRequest(_Event):
    """A request of HTTP through a Function URL or an API Gateway, in its payload format 2.0."""

    version: Literal["2.0"]
    raw_path: str
    raw_query_string: str = ""
    headers: dict[str, str] = {}
    cookies: tuple[str, ...] = ()
    body: str | None = None
    is_base64_encoded: bool = False
    request_context: RequestContext


def kind_of(event: object) -> Kind:
    """Which kind of event this is. InvalidInput for what is none.

    The request of HTTP is asked for first: whatever its sender wrote is inside it.
    """
    match event:
        case {"requestContext": {"http": _}}:
            return "web"
        case {"Records": [*_]}:
            return "messages"
        case {"source": "aws.s3", "detail-type": _}:
            return "created"
        case {"protocol": arc.PROTOCOL}:
            return "command"
        case {aws_lambda.KEY: {"kind": str(kind)}} if kind in _OURS:
            return _OURS[kind]
    raise InvalidInput(
        "the event has no shape that starts a Function",
        hint="these do: SQS, S3 through EventBridge, EventBridge Scheduler, a Function URL, a command, a call",
    )


def read(model: type[M], event: object) -> M:
    """The event as its model. InvalidInput, without its values, where it does not fit."""
    try:
        return model.model_validate(event)
    except pydantic.ValidationError as error:
        raise InvalidInput(f"the event is no {model.__name__}: {problems(error)}") from None
