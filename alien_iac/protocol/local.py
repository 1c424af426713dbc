"""The `local` platform's resources as the plugin serves them, and where their files are.

The platform package writes these inputs, the plugin acts on them, and the runtime reads the files: this is what the
three agree on. `{port:<workload id>}` in a process's environment or a binding is filled in by the plugin when the
process starts, from the deployment's ledger of ports, so that no binding waits for another resource.
"""

from dataclasses import dataclass
from pathlib import Path

DIRECTORY = "alien:local:Directory"
"""Inputs: `path`. A folder (mode 0700). Delete removes it with all that is in it."""
KV = "alien:local:Kv"
"""Inputs: `dataDir`. `localkv.sqlite` in it."""
QUEUE = "alien:local:Queue"
"""Inputs: `file`, `name`, `visibilitySeconds`, `maxReceives`, `retentionSeconds`, `tokenFile`. One SQLite file."""
SECRET = "alien:local:Secret"  # noqa: S105 - a type's name
"""Inputs: `path`, `keyFile`, `generate` (bool). Without `generate` the file is made when a value is first set."""
PROCESS = "alien:local:Process"
"""Inputs: see the plugin's `process`. One supervised process. Outputs: `port`, `url`, `pid`."""

PORT_REFERENCE = "{port:%s}"
FILE_REFERENCE = "{file:%s}"
BROKER = "queue-broker"
"""The process that serves all queues of a deployment; no workload has this id."""


def port_reference(workload_id: str) -> str:
    """The mark that the plugin replaces by the workload's port."""
    return PORT_REFERENCE % workload_id


def file_reference(path: Path) -> str:
    """The mark that the plugin replaces by what is in the file, when the process starts."""
    return FILE_REFERENCE % path


@dataclass(frozen=True)
class Layout:
    """Where a deployment on `local` keeps its files. `root` is `alien:localDir`, made absolute."""

    root: Path

    def storage(self, name: str) -> Path:
        return self.root / "storage" / name

    def kv(self, name: str) -> Path:
        return self.root / "kv" / name

    def queue(self, name: str) -> Path:
        return self.root / "queues" / f"{name}.sqlite"

    def queue_token(self, name: str) -> Path:
        """The file with the token that the broker expects for this queue."""
        return self.root / "queues" / f"{name}.token"

    def secret(self, name: str) -> Path:
        return self.root / "secrets" / f"{name}.enc"

    @property
    def secret_key(self) -> Path:
        return self.root / "secrets" / "key"

    def volume(self, workload_id: str, name: str) -> Path:
        return self.root / "volumes" / workload_id / name

    def workload(self, workload_id: str) -> Path:
        """Its folder: `state/`, `log/`, `token`, `code` (the unpacked artifact that now runs)."""
        return self.root / "workloads" / workload_id

    def token(self, workload_id: str) -> Path:
        return self.workload(workload_id) / "token"

    @property
    def ports(self) -> Path:
        return self.root / "ports.json"

    @property
    def supervisor(self) -> Path:
        """The supervisor's folder: its configuration, password, lock and log."""
        return self.root / "supervisor"
