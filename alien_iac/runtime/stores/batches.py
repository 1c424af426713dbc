"""Sending a batch in the parts that one request carries, with a result for each message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from alien_iac.errors import AlienError
from alien_iac.runtime.stores.queue import SendResult
from alien_iac.runtime.work import Payload


def send_parts(
    messages: Sequence[Payload], send: Callable[[list[Payload]], list[SendResult] | None], *, most: int, most_bytes: int
) -> list[SendResult]:
    """One result each, in their order. What goes wrong with the first part is raised: nothing was sent then.

    `send` says how each message of a part fared, or nothing where all were sent.
    """
    results: list[SendResult] = []
    for part in parts(messages, most=most, most_bytes=most_bytes):
        try:
            told = send(part) or [SendResult(status="sent")] * len(part)
        except AlienError as error:
            if not results:
                raise
            told = [SendResult(status="unknown" if error.retryable else "rejected", message=error.message)] * len(part)
        results += told
    return results


def parts(messages: Sequence[Payload], *, most: int, most_bytes: int) -> Iterator[list[Payload]]:
    """The messages in their order, so many and so many bytes of text at a time."""
    part: list[Payload] = []
    size = 0
    for message in messages:
        length = len(message.text.encode())
        if part and (len(part) == most or size + length > most_bytes):
            yield part
            part, size = [], 0
        part.append(message)
        size += length
    if part:
        yield part
