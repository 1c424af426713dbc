"""`python -m alien_iac.control --data DIR`: a control plane that prints one JSON line once it listens."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from alien_iac.control.forwarding import target
from alien_iac.control.server import Started, serve
from alien_iac.control.settings import Settings
from alien_iac.control.store.postgres import from_words
from alien_iac.errors import AlienError


def main() -> int:
    """Serve; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m alien_iac.control", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that has everything it keeps")
    parser.add_argument("--database", help="postgresql://USER@HOST:PORT/NAME; without, SQLite in the folder")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--private-key", type=Path)
    parser.add_argument("--key-file", type=Path, help="file with the keys that seal what it keeps")
    parser.add_argument("--key-command", help="a command that prints these keys")
    parser.add_argument("--public-url")
    parser.add_argument("--forward", help="an OTLP endpoint that gets all telemetry too")
    parser.add_argument("--forward-headers", type=Path, help="file with its headers, `name: value`")
    try:
        serve(_settings(vars(parser.parse_args())), _tell)
    except AlienError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


def _settings(given: dict[str, Any]) -> Settings:
    database = from_words(given.pop("database"), os.environ)
    forward = target(given.pop("forward"), given.pop("forward_headers"))
    return Settings(**given, database=database, forward=forward)


def _tell(started: Started) -> None:
    line = {"url": started.url, "adminTokenFile": started.admin_token_file}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
