"""Kv: small values by key."""

from collections.abc import Iterable, Mapping
from typing import Never

import pulumi

from alien_iac.models.links import Link
from alien_iac.resources.base import Component, LinkTarget
from alien_iac.resources.context import Transform


class Kv(Component):
    """Values of up to 24,576 bytes by string keys of up to 512 bytes, with a time to live per item."""

    kind = "Kv"

    def __init__(
        self,
        name: str,
        *,
        link: Iterable[LinkTarget] = (),
        frozen: bool = False,
        transform: Mapping[str, Transform] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **unknown: Never,
    ) -> None:
        super().__init__(name, {"frozen": frozen, **unknown}, link=link, transform=transform, opts=opts)

    def reader(self) -> Link:
        """A link that may read values."""
        return Link(resource=self.resource_id, kind="Kv", verb="read")

    def writer(self) -> Link:
        """A link that may read, write and delete values; what a bare link means."""
        return Link(resource=self.resource_id, kind="Kv", verb="write")
