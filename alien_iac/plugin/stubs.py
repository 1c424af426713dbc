"""Pulumi's gRPC stubs without its SDK, of which the plugin uses nothing else: its start takes a third of the time."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from alien_iac.errors import Missing


def alone() -> None:
    """Let `pulumi.runtime.proto` be imported without `pulumi` itself. Only for a process that uses no more of it.

    Raises Missing.
    """
    if "pulumi" in sys.modules:
        return
    found = importlib.util.find_spec("pulumi")
    if found is None or found.origin is None:
        raise Missing("the plugin needs the Pulumi SDK", hint="pip install 'alien-iac[deploy]'")
    folder = Path(found.origin).parent
    for name, place in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        package = ModuleType(name)
        package.__path__ = [str(place)]
        sys.modules[name] = package
