"""Storage: objects by key."""

from collections.abc import Iterable, Mapping
from typing import Never

import pulumi

from alien_iac.models.links import Link
from alien_iac.models.triggers import CreatedTrigger
from alien_iac.resources.base import Component, LinkTarget
from alien_iac.resources.context import Transform


class Storage(Component):
    """Objects by key. `expire_after` ("30d") deletes what is older; `public_read` lets anybody read."""

    kind = "Storage"

    def __init__(  # noqa: PLR0913 - the author's keywords
        self,
        name: str,
        *,
        versioned: bool = True,
        expire_after: str | None = None,
        public_read: bool = False,
        link: Iterable[LinkTarget] = (),
        frozen: bool = False,
        transform: Mapping[str, Transform] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **unknown: Never,
    ) -> None:
        arguments = {"versioned": versioned, "expire_after": expire_after, "public_read": public_read, "frozen": frozen}
        super().__init__(name, {**arguments, **unknown}, link=link, transform=transform, opts=opts)

    def reader(self) -> Link:
        """A link that may read objects."""
        return Link(resource=self.resource_id, kind="Storage", verb="read")

    def writer(self) -> Link:
        """A link that may read, write and delete objects; what a bare link means."""
        return Link(resource=self.resource_id, kind="Storage", verb="write")

    def on_created(self) -> CreatedTrigger:
        """A trigger for each object that is new, or whose content was replaced."""
        return CreatedTrigger(resource=self.resource_id)
