"""The sizes that Fargate has, and the next one up from what an author asks for."""

from collections.abc import Iterator
from dataclasses import dataclass

from alien_iac.models.arguments import Architecture, ContainerArguments
from alien_iac.models.units import parse_bytes

UNITS = 1024
"""CPU units of a core, and MiB of a GiB."""
_MEMORY: tuple[tuple[int, tuple[int, ...]], ...] = (
    (256, (512, 1024, 2048)),
    (512, tuple(range(1 * UNITS, 4 * UNITS + 1, UNITS))),
    (1024, tuple(range(2 * UNITS, 8 * UNITS + 1, UNITS))),
    (2048, tuple(range(4 * UNITS, 16 * UNITS + 1, UNITS))),
    (4096, tuple(range(8 * UNITS, 30 * UNITS + 1, UNITS))),
    (8192, tuple(range(16 * UNITS, 60 * UNITS + 1, 4 * UNITS))),
    (16384, tuple(range(32 * UNITS, 120 * UNITS + 1, 8 * UNITS))),
)
"""CPU units to the MiB of memory that may go with them."""
_HOURS = 730
_PRICES: dict[Architecture, tuple[float, float]] = {"arm64": (0.03238, 0.00356), "x86_64": (0.04048, 0.004445)}
"""USD an hour for a core and for a GiB, in us-east-1."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """One size of a task. `cpu`: units of a 1,024th core; `memory`: MiB."""

    cpu: int
    memory: int

    @property
    def words(self) -> str:
        return f"{self.cpu / UNITS:g} CPU and {self.memory / UNITS:g}Gi"


def sizes() -> Iterator[Size]:
    """All that there are, the smallest first."""
    for cpu, memories in _MEMORY:
        for memory in memories:
            yield Size(cpu=cpu, memory=memory)


def wanted(arguments: ContainerArguments) -> Size:
    """What the author asks for, which Fargate may not have."""
    return Size(cpu=round(arguments.cpu * UNITS), memory=-(-parse_bytes(arguments.memory) // 2**20))


def size(arguments: ContainerArguments) -> Size | None:
    """The smallest size that has as much of both; None where there is none."""
    asked = wanted(arguments)
    return next((s for s in sizes() if s.cpu >= asked.cpu and s.memory >= asked.memory), None)


def architecture(arguments: ContainerArguments) -> Architecture:
    """The cheaper one for a source; for an image what images are mostly made for, unless the author says otherwise."""
    return arguments.architecture or ("x86_64" if arguments.image is not None else "arm64")


def replicas(arguments: ContainerArguments) -> int:
    """How many run while nothing happens."""
    return arguments.scale.min if arguments.scale else 1


def monthly_price(arguments: ContainerArguments, chosen: Size) -> float:
    """USD a month of the replicas that always run."""
    core, gib = _PRICES[architecture(arguments)]
    return replicas(arguments) * _HOURS * (chosen.cpu / UNITS * core + chosen.memory / UNITS * gib)
