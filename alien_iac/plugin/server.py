"""The program `pulumi-resource-alien`."""

import sys
from importlib import metadata

from alien_iac.plugin import stubs


def main() -> None:
    """Entry point. The engine's address is its argument, unless it was started by hand for an engine to join."""
    stubs.alone()
    from alien_iac.plugin import serving, table  # noqa: PLC0415 - after the line above, for a quick start

    serving.serve(table.KINDS, metadata.version("alien-iac"), has_engine=len(sys.argv) > 1)
