"""The `local` platform as the agent asks it: processes under a supervisor on this machine."""

import shutil
import sys
from pathlib import Path

from alien_iac.errors import Missing
from alien_iac.plugin import keeper, supervisor
from alien_iac.protocol.local import Layout

PLUGIN = "pulumi-resource-alien"


class LocalMachine:
    """The workloads of the deployment whose data is under `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._layout = Layout(root)

    @property
    def plugin(self) -> Path:
        """The folder of the plugin's program: beside the Python that runs this, or on PATH."""
        beside = Path(sys.executable).parent
        found = shutil.which(PLUGIN, path=str(beside)) or shutil.which(PLUGIN)
        if found is None:
            raise Missing(f"{PLUGIN} is not in {beside} and not on PATH", hint="pip install 'alien-iac[deploy]'")
        return Path(found).parent

    def keep(self) -> None:
        supervisor.ensure_running(self._root)

    def is_running(self, workload_id: str) -> bool:
        return keeper.running(self._layout.workload(workload_id)) != 0

    def token_file(self, workload_id: str) -> Path | None:
        path = self._layout.token(workload_id)
        return path if path.is_file() else None
