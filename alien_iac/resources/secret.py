"""Secret: one value that the stack program never holds."""

from collections.abc import Iterable, Mapping
from typing import Never

import pulumi

from alien_iac.models.arguments import Provider
from alien_iac.resources.base import Component, LinkTarget
from alien_iac.resources.context import Transform


class Secret(Component):
    """One secret value, set by the customer or by the vendor, or generated. A link to it reads it."""

    kind = "Secret"

    def __init__(  # noqa: PLR0913 - the author's keywords
        self,
        name: str,
        *,
        provided_by: Provider = "customer",
        link: Iterable[LinkTarget] = (),
        frozen: bool = False,
        transform: Mapping[str, Transform] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **unknown: Never,
    ) -> None:
        arguments = {"provided_by": provided_by, "frozen": frozen}
        super().__init__(name, {**arguments, **unknown}, link=link, transform=transform, opts=opts)
