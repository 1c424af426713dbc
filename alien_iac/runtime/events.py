"""What may start a handler, the same on every platform: an adapter makes one of these of what its platform sends.

`attempt` counts deliveries from 1, where the platform says. `ends` is when the platform cuts the delivery off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pydantic_core

from alien_iac.models.triggers import ScheduleTrigger
from alien_iac.runtime.stores.queue import QueueMessage
from alien_iac.runtime.work import Payload, Trace


@dataclass(frozen=True, kw_only=True)
class _Delivery:
    attempt: int = 1
    ends: datetime | None = None
    trace: Trace | None = None


@dataclass(frozen=True, kw_only=True)
class Message(_Delivery):
    """A message of a queue. `number` is the same each time it is delivered. The queue ends it as a dead letter."""

    queue: str
    number: str
    payload: Payload

    @property
    def id(self) -> str:
        return f"{self.queue}:{self.number}"


@dataclass(frozen=True, kw_only=True)
class Created(_Delivery):
    """An object that is new in a storage; `version` tells this content from an earlier one under the same key."""

    storage: str
    key: str
    version: str
    is_kept: bool = True
    """Whether the platform keeps what failed too often; if not, it is given up here."""

    @property
    def id(self) -> str:
        return f"{self.storage}/{self.key}@{self.version}"


@dataclass(frozen=True, kw_only=True)
class Instant(_Delivery):
    """An instant of a schedule."""

    trigger: ScheduleTrigger
    at: datetime
    is_kept: bool = True
    """As of `Created`."""

    @property
    def id(self) -> str:
        return f"{self.trigger.cron}@{self.at.isoformat()}"


Event = Message | Created | Instant


def message_of(queue: str, message: QueueMessage) -> Message:
    """The event of a message that a store received."""
    is_json = message.payload_type == "json"
    text = pydantic_core.to_json(message.payload).decode() if is_json else str(message.payload)
    trace = Trace(message.trace) if message.trace else None
    return Message(queue=queue, number=message.id, payload=Payload(text, is_json), attempt=message.attempt, trace=trace)
