"""`python -m alien_iac.runtime.broker QUEUES_DIR`: serve the folder's queues on 127.0.0.1:$PORT until told to end."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from alien_iac.protocol import environment
from alien_iac.runtime import serving
from alien_iac.runtime.broker.app import Broker, app
from alien_iac.runtime.ending import end_signals
from alien_iac.runtime.entry import as_process
from alien_iac.runtime.logs import LOGGER, line


async def run(folder: Path, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    ended = end_signals()
    broker = Broker(folder, ended)
    listener = serving.bind(port)
    LOGGER.info(line("broker ready", port=listener.getsockname()[1], folder=folder))
    try:
        await serving.serve(app(broker), listener, ended)
    finally:
        broker.close()


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m alien_iac.runtime.broker", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(argv).folder
    port = int(os.environ.get(environment.PORT) or 0)
    return as_process(lambda: run(folder, port))


if __name__ == "__main__":
    sys.exit(main())
