"""What starts a Function's handlers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Trigger(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QueueTrigger(_Trigger):
    """A message on a queue."""

    kind: Literal["queue"] = "queue"
    resource: str
    """The queue's id."""


class ScheduleTrigger(_Trigger):
    """An instant of a crontab line (five fields) in a time zone of the IANA database."""

    kind: Literal["schedule"] = "schedule"
    cron: str
    timezone: str = "UTC"


class CreatedTrigger(_Trigger):
    """An object that is new in a storage, or whose content was replaced."""

    kind: Literal["created"] = "created"
    resource: str
    """The storage's id."""


Trigger = Annotated[QueueTrigger | ScheduleTrigger | CreatedTrigger, Field(discriminator="kind")]
