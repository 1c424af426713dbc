"""What the agent asks of the platform that it runs on, beyond Pulumi."""

from pathlib import Path
from typing import Protocol


class Machine(Protocol):
    """One deployment's workloads as the platform itself sees them. Calls may block; they are made in a thread."""

    @property
    def plugin(self) -> Path:
        """Where our Pulumi plugin is."""

    def keep(self) -> None:
        """Bring up again what should run and does not."""

    def is_running(self, workload_id: str) -> bool:
        """Whether the platform says that the workload runs."""

    def token_file(self, workload_id: str) -> Path | None:
        """Where the token is that a workload shows to the agent; None where there is no such workload."""
