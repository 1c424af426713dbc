"""Container: a service that keeps running."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Never

import pulumi

from alien_iac.models.written import Scale, Volume
from alien_iac.resources import command_token
from alien_iac.resources.base import Component, LinkTarget
from alien_iac.resources.context import Transform


class Container(Component):
    """A service from a `source` folder or an `image`. Only values of `env`, and `image`, may be Outputs.

    One with a volume of its own runs in one replica, which is stopped before the next one starts.
    """

    kind = "Container"

    def __init__(  # noqa: PLR0913 - the author's keywords
        self,
        name: str,
        *,
        source: str | None = None,
        image: pulumi.Input[str] | None = None,
        command: Sequence[str] | None = None,
        port: int | None = None,
        protocol: Literal["http", "tcp"] = "http",
        cpu: float = 0.5,
        memory: str = "1Gi",
        scale: Scale | None = None,
        volumes: Iterable[Volume] = (),
        health: str | None = None,
        architecture: Literal["arm64", "x86_64"] | None = None,
        env: Mapping[str, pulumi.Input[str]] | None = None,
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
            "command": command,
            "port": port,
            "protocol": protocol,
            "cpu": cpu,
            "memory": memory,
            "scale": scale,
            "volumes": volumes,
            "health": health,
            "architecture": architecture,
            "env": {} if env is None else env,
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
        """Where it answers: from anywhere if it is public, otherwise within the deployment. None without a port."""
        return self.promised("url")
