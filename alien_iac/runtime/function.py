"""`python -m alien_iac.runtime.function FOLDER`: run a Function's code on this machine.

The environment says all the rest (`protocol.environment`). Only ever run as a program: as an import, the name
`alien_iac.runtime.function` is the accessor of a linked Function.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from alien_iac.errors import AlienError
from alien_iac.runtime import logs, settings
from alien_iac.runtime.local import process
from alien_iac.runtime.logs import LOGGER, line


def main() -> int:
    """The exit code; 2 and one line where the code or the environment is wrong."""
    parser = argparse.ArgumentParser(prog="python -m alien_iac.runtime.function", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    # A log that is read while the process runs; into a file Python would keep it back.
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(line_buffering=True)
    logs.configure()
    logging.captureWarnings(capture=True)
    try:
        asyncio.run(process.run(folder, settings.read()))
    except AlienError as error:
        LOGGER.error(line("not started", code=error.code, why=str(error)))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
