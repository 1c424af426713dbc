"""A message's text and type as they travel through a cloud's queue, where other programs may read and write too.

Text that was sent as text is marked by its content type. What has no mark, as with messages of the public
`alienplatform` SDK, is JSON where it parses and text otherwise.
"""

from __future__ import annotations

from typing import Any, Literal

import pydantic_core

from alien_iac.runtime.work import Payload

CONTENT_TYPE = "content-type"
"""The name of the attribute that holds the content type, where a queue has no field of its own for it."""
TRACE_PARENT = "traceparent"
JSON, TEXT = "application/json", "text/plain"


def attributes(message: Payload) -> dict[str, str]:
    """What is sent beside the text: its content type, and the trace that it belongs to."""
    return {CONTENT_TYPE: content_type(message), **({TRACE_PARENT: message.trace} if message.trace else {})}


def content_type(message: Payload) -> str:
    """The mark that a message is sent with."""
    return JSON if message.is_json else TEXT


def received(body: bytes, content_type: str | None) -> Payload:
    """A message as it was sent. Bytes that are no UTF-8 are read with replacement characters."""
    text = body.decode(errors="replace")
    if content_type == TEXT:
        return Payload(text, is_json=False)
    try:
        pydantic_core.from_json(text)
    except ValueError:
        return Payload(text, is_json=False)
    return Payload(text, is_json=True)


def value(payload: Payload) -> tuple[Any, Literal["json", "text"]]:
    """What a receiver gets of it: the JSON value or the text, and which of the two."""
    return (pydantic_core.from_json(payload.text), "json") if payload.is_json else (payload.text, "text")
