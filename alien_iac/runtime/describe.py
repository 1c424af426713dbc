"""`python -m alien_iac.runtime.describe FOLDER [--resource ID]`: the commands that a source folder answers, as JSON.

Packaging runs it in a child, so that a vendor's code never runs inside the process that builds a release. Standard
output holds a list of `manifest.DeclaredCommand`; what the code prints while it is loaded goes to standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import json
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from alien_iac.errors import AlienError
from alien_iac.protocol.manifest import DeclaredCommand
from alien_iac.runtime import loading, signatures
from alien_iac.runtime.handlers import Handlers


def describe(handlers: Handlers, resource: str = "") -> tuple[DeclaredCommand, ...]:
    """The commands among the handlers, by name. InvalidInput where a signature cannot be described."""
    found = (
        DeclaredCommand(
            name=handler.name,
            resource=resource,
            parameters=signatures.parameters_schema(handler),
            description=(inspect.getdoc(handler.function) or "").partition("\n\n")[0].replace("\n", " "),
        )
        for handler in handlers.of("command")
    )
    return tuple(sorted(found, key=lambda declared: declared.name))


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code; 2 and one message where the folder or its handlers are wrong."""
    parser = argparse.ArgumentParser(prog="python -m alien_iac.runtime.describe", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resource", default="", help="the id of the workload that the folder is the source of")
    arguments = parser.parse_args(argv)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            program = loading.load(arguments.folder)
            for handler in program.handlers.all:
                signatures.binder(handler)
            declared = describe(program.handlers, arguments.resource)
    except AlienError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except Exception:  # noqa: BLE001 - whatever the vendor's code raises, whole, for its author to read
        traceback.print_exc()
        return 1
    sys.stdout.write(json.dumps([command.dump() for command in declared]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
