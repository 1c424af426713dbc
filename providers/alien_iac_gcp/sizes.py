"""Legal sizes, pure: what is asked for is rounded up to what there is."""

import math
from dataclasses import dataclass

from alien_iac.models.arguments import ContainerArguments, FunctionArguments, VolumeArguments
from alien_iac.models.units import parse_bytes

MIB, GIB = 2**20, 2**30
MIN_MIB = 512
"""Cloud Run's second generation starts no less."""
RUN_SIZES = ((1, 4096), (2, 8192), (4, 16384), (6, 24576), (8, 32768))
"""Cores, and the most MiB that go with them."""
LEAST_MIB = {4: 2048, 6: 4096, 8: 4096}
"""The least MiB that go with so many cores."""
SYSTEM_MIB = 768
"""What a machine's own system needs beside the workload."""
MACHINES = (
    ("e2-small", 0.5, 2048, 13),
    ("e2-medium", 1, 4096, 25),
    ("e2-standard-2", 2, 8192, 49),
    ("e2-highmem-2", 2, 16384, 66),
    ("e2-standard-4", 4, 16384, 98),
    ("e2-highmem-4", 4, 32768, 132),
    ("e2-standard-8", 8, 32768, 196),
    ("e2-highmem-8", 8, 65536, 264),
    ("e2-standard-16", 16, 65536, 391),
    ("e2-standard-32", 32, 131072, 783),
    ("n2-standard-64", 64, 262144, 2268),
)
"""Type, cores, MiB, and about how many US dollars a month."""
MIN_DISK_GIB = 10


@dataclass(frozen=True)
class Size:
    """Cores and MiB of one replica."""

    cpu: float
    mib: int

    @property
    def limits(self) -> dict[str, str]:
        """As Cloud Run writes it."""
        return {"cpu": f"{self.cpu:g}", "memory": f"{self.mib}Mi"}


@dataclass(frozen=True)
class Machine:
    """A type of virtual machine."""

    type: str
    usd: int


def asked(arguments: ContainerArguments | FunctionArguments) -> Size:
    """What the author wrote; a Function's cores come with its memory."""
    cpu = arguments.cpu if isinstance(arguments, ContainerArguments) else 0
    return Size(cpu, math.ceil(parse_bytes(arguments.memory) / MIB))


def run_size(wanted: Size) -> Size | None:
    """The smallest of Cloud Run's sizes; None where there is none so large."""
    for cpu, most in RUN_SIZES:
        if wanted.cpu <= cpu and wanted.mib <= most:
            return Size(cpu, max(wanted.mib, MIN_MIB, LEAST_MIB.get(cpu, 0)))
    return None


def machine(wanted: Size) -> Machine | None:
    """The smallest machine with room for the workload beside its own system."""
    for kind, cpu, mib, usd in MACHINES:
        if wanted.cpu <= cpu and wanted.mib + SYSTEM_MIB <= mib:
            return Machine(kind, usd)
    return None


def disk_gib(volume: VolumeArguments) -> int:
    """Whole GiB, from the smallest disk there is."""
    return max(MIN_DISK_GIB, math.ceil(parse_bytes(volume.size) / GIB))
