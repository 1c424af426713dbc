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
from collections.abc import Sequence
from pathlib import Path

from alien_iac.errors import AlienError, told
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
    except SystemExit as error:
        sys.stderr.write(f"its code ended the process while it was loaded (exit code {error.code})\n")
        return 1
    except Exception as error:  # noqa: BLE001 - whatever the vendor's code raises
        sys.stderr.write(f"{told(error, arguments.folder)}\n")
        return 1
    sys.stdout.write(json.dumps([command.dump() for command in declared]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
