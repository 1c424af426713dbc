"""`python -m alien_iac.runtime.function FOLDER`: run a Function's code as a process, on this machine or a cloud.

The environment says all the rest (`protocol.environment`). Only ever run as a program: as an import, the name
`alien_iac.runtime.function` is the accessor of a linked Function.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from alien_iac.errors import BindingInvalid
from alien_iac.protocol import environment
from alien_iac.runtime import settings
from alien_iac.runtime.entry import as_process

PROCESSES = {
    "local": "alien_iac.runtime.local.process",
    "gcp": "alien_iac.runtime.gcp.process",
    "azure": "alien_iac.runtime.azure.process",
}
"""The platforms on which a Function is a process, and the modules that run it. On AWS, Lambda calls it."""


def main() -> int:
    """The exit code; 2 and one line where the code or the environment is wrong."""
    parser = argparse.ArgumentParser(prog="python -m alien_iac.runtime.function", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder

    async def run() -> None:
        mine = settings.read()
        if mine.platform not in PROCESSES:
            known = ", ".join(PROCESSES)
            raise BindingInvalid(f'{environment.DEPLOYMENT_TYPE} is "{mine.platform}"; a Function runs so on {known}')
        await importlib.import_module(PROCESSES[mine.platform]).run(folder, mine)

    return as_process(run)


if __name__ == "__main__":
    sys.exit(main())
