"""Sizes that Azure has, to which what an author asks for is rounded up; None is more than there is."""

import math
from dataclasses import dataclass

from alien_iac.models.arguments import ContainerArguments
from alien_iac.models.units import parse_bytes

GIB, MIB = 2**30, 2**20
FLEX_MIB = (512, 2048, 4096)
FLEX_INSTANCES = 100
FUNCTION_CPU = 0.25
"""Cores that a Function in a container starts from; its memory decides."""
MAX_STEPS, STEP_CPU, STEP_GIB = 16, 0.25, 0.5
"""Container Apps come in steps of a quarter of a core with half a GiB, up to four cores with eight."""
MIN_SHARE_GIB = 100
"""The smallest share that Azure has on premium disks."""


@dataclass(frozen=True)
class Size:
    """A legal pair of cores and memory."""

    steps: int

    @property
    def cpu(self) -> float:
        return self.steps * STEP_CPU

    @property
    def memory(self) -> str:
        return f"{self.steps * STEP_GIB:g}Gi"


def flex_mib(memory: str) -> int:
    """An instance's memory; the largest there is where what is asked for does not fit."""
    return next((size for size in FLEX_MIB if size * MIB >= parse_bytes(memory)), FLEX_MIB[-1])


def fits_flex(memory: str) -> bool:
    """Whether Flex Consumption has as much memory."""
    return parse_bytes(memory) <= FLEX_MIB[-1] * MIB


def steps(cpu: float, memory: str) -> int:
    """Steps of a Container App's size, at least as many as both need."""
    return max(1, math.ceil(cpu / STEP_CPU), math.ceil(parse_bytes(memory) / (STEP_GIB * GIB)))


def app(cpu: float, memory: str) -> Size:
    """A Container App's size; the largest one where what is asked for does not fit."""
    return Size(min(steps(cpu, memory), MAX_STEPS))


def of(arguments: ContainerArguments) -> Size:
    """A Container's size."""
    return app(arguments.cpu, arguments.memory)


def share_gib(size: str) -> int:
    """A share's size."""
    return max(MIN_SHARE_GIB, math.ceil(parse_bytes(size) / GIB))
