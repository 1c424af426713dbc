"""Function: handlers that start when something happens, and scale to zero."""

from collections.abc import Iterable, Mapping
from typing import Literal, Never

import pulumi

from alien_iac.models.triggers import Trigger
from alien_iac.models.written import Written
from alien_iac.resources import command_token
from alien_iac.resources.base import Component, LinkTarget
from alien_iac.resources.context import Transform


class Function(Component):
    """Handlers in `main.py` of `source`, or in an `image`. Only values of `env`, and `image`, may be Outputs."""

    kind = "Function"

    def __init__(  # noqa: PLR0913 - the author's keywords
        self,
        name: str,
        *,
        source: str | None = None,
        image: pulumi.Input[str] | None = None,
        memory: str = "512Mi",
        timeout: str = "3m",
        concurrency: int | None = None,
        architecture: Literal["arm64", "x86_64"] | None = None,
        env: Mapping[str, pulumi.Input[str]] | None = None,
        triggers: Iterable[Trigger | Written] = (),
        commands: bool = False,
        public: bool = False,
        domain: str | None = None,
        network: Literal["customer"] | None = None,
        link: Iterable[LinkTarget] = (),
        frozen: bool = False,
        transform: Mapping[str, Transform] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **unknown: Never,
    ) -> None:
        arguments = {
            "source": source,
            "image": image,
            "memory": memory,
            "timeout": timeout,
            "concurrency": concurrency,
            "architecture": architecture,
            "env": {} if env is None else env,
            "triggers": triggers,
            "commands": commands,
            "public": public,
            "domain": domain,
            "network": network,
            "frozen": frozen,
        }
        link = command_token.linked(self.kind, name, link, opts) if commands is True else link
        super().__init__(name, {**arguments, **unknown}, link=link, transform=transform, opts=opts)

    @property
    def url(self) -> pulumi.Output[str]:
        """Where it answers http: from anywhere if it is public, otherwise within the deployment."""
        return self.promised("url")
