"""The program `pulumi-resource-alien`."""

import os
import sys
from importlib import metadata

from alien_iac.plugin import stubs


def main() -> None:
    """Entry point. The engine's address is its argument, unless it was started by hand for an engine to join."""
    engine = os.getppid() if len(sys.argv) > 1 else None  # before anything that takes time: it may be killed meanwhile
    stubs.alone()
    from alien_iac.plugin import serving, table  # noqa: PLC0415 - after the line above, for a quick start

    serving.serve(table.KINDS, metadata.version("alien-iac"), engine)
