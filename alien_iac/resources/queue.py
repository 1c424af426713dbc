"""Queue: messages, each delivered at least once."""

from collections.abc import Iterable, Mapping
from typing import Never

import pulumi

from alien_iac.models.links import Link
from alien_iac.models.triggers import QueueTrigger
from alien_iac.resources.base import Component, LinkTarget
from alien_iac.resources.context import Transform


class Queue(Component):
    """Messages of up to 65,536 bytes. One that was received `max_receives` times in vain becomes a dead letter."""

    kind = "Queue"

    def __init__(  # noqa: PLR0913 - the author's keywords
        self,
        name: str,
        *,
        max_receives: int = 5,
        retention: str = "4d",
        link: Iterable[LinkTarget] = (),
        frozen: bool = False,
        transform: Mapping[str, Transform] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **unknown: Never,
    ) -> None:
        arguments = {"max_receives": max_receives, "retention": retention, "frozen": frozen}
        super().__init__(name, {**arguments, **unknown}, link=link, transform=transform, opts=opts)

    def sender(self) -> Link:
        """A link that may send messages; what a bare link means."""
        return Link(resource=self.resource_id, kind="Queue", verb="send")

    def consumer(self) -> Link:
        """A link that may receive and acknowledge messages."""
        return Link(resource=self.resource_id, kind="Queue", verb="consume")

    def on_message(self) -> QueueTrigger:
        """A trigger for each message."""
        return QueueTrigger(resource=self.resource_id)
