"""Where an artifact is to run: the Python, the machine and the layout of each platform, in literal tables."""

import platform as machine
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from alien_iac.models.purpose import Purpose
from alien_iac.packaging import needs
from alien_iac.protocol import code

PYTHON: Mapping[str, tuple[int, int]] = {"aws": (3, 13), "gcp": (3, 13), "azure": (3, 13)}
"""Of Lambda's runtime, of Flex Consumption's, and of the base image under everything else."""
ARCHITECTURE: Mapping[str, str] = {"aws": "arm64", "gcp": "x86_64", "azure": "x86_64"}
"""Where the author names none."""
C_LIBRARY = "manylinux_2_34"
"""The oldest one among these places: Amazon Linux 2023's. Debian's in the other images is newer."""
_MACHINES: Mapping[str, str] = {"arm64": "aarch64", "x86_64": "x86_64"}


@dataclass(frozen=True, kw_only=True)
class Target:
    """What an artifact is to run on: this machine's Python and architecture unless said otherwise."""

    platform: str = "local"
    kind: str = "Function"
    python: tuple[int, int] = field(default_factory=lambda: (sys.version_info.major, sys.version_info.minor))
    architecture: str = field(default_factory=machine.machine)
    linked: frozenset[str] = frozenset()
    """The kinds that the workload is linked to."""
    polls: bool = False

    @classmethod
    def of(cls, purpose: Purpose) -> Self:
        """The target that this purpose has: on `local` this machine, whatever architecture is asked for."""
        name = purpose.platform.value
        if name not in PYTHON:
            return cls(platform=name, kind=purpose.kind)
        return cls(
            platform=name,
            kind=purpose.kind,
            python=PYTHON[name],
            architecture=purpose.architecture or ARCHITECTURE[name],
            linked=frozenset(purpose.linked),
            polls=purpose.polls,
        )

    @property
    def is_cloud(self) -> bool:
        """Whether it runs elsewhere, and brings our own runtime along."""
        return self.platform in PYTHON

    @property
    def folder(self) -> str:
        """The folder in the artifact for the requirements; empty for its root."""
        return code.requirements_folder(self.platform, self.kind)

    @property
    def requirements(self) -> tuple[str, ...]:
        """What our own runtime needs there."""
        return needs.requirements(self.platform, self.kind, self.linked, polls=self.polls)

    @property
    def options(self) -> tuple[str, ...]:
        """How uv is told of a machine that is not this one: only wheels will do for it."""
        if not self.is_cloud:
            return ()
        place = f"{_MACHINES[self.architecture]}-{C_LIBRARY}"
        version = f"{self.python[0]}.{self.python[1]}"
        return ("--only-binary", ":all:", "--python-platform", place, "--python-version", version)

    def __str__(self) -> str:
        return f"{self.platform}-{self.kind}-python{self.python[0]}.{self.python[1]}-{self.architecture}"

    @property
    def words(self) -> str:
        """The same for people."""
        return f"Python {self.python[0]}.{self.python[1]} on {self.architecture} Linux ({C_LIBRARY})"
