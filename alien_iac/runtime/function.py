"""`python -m alien_iac.runtime.function FOLDER`: run a Function's code on this machine.

The environment says all the rest (`protocol.environment`). Only ever run as a program: as an import, the name
`alien_iac.runtime.function` is the accessor of a linked Function.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alien_iac.runtime import settings
from alien_iac.runtime.entry import as_process
from alien_iac.runtime.local import process


def main() -> int:
    """The exit code; 2 and one line where the code or the environment is wrong."""
    parser = argparse.ArgumentParser(prog="python -m alien_iac.runtime.function", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder

    async def run() -> None:
        await process.run(folder, settings.read())

    return as_process(run)


if __name__ == "__main__":
    sys.exit(main())
