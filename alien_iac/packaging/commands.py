"""The commands that a packaged workload answers, read from its handlers in a child process.

A vendor's code is never imported into the process that builds and signs a release.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from alien_iac.errors import InvalidInput
from alien_iac.packaging.archive import Artifact
from alien_iac.packaging.unpack import unpack
from alien_iac.protocol.manifest import DeclaredCommand

_TIMEOUT_S = 120
_LINES = 12
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH")
"""What the child keeps of the environment: it is to see neither credentials nor anything of a customer."""


def declared(
    artifact: Artifact, resource: str, environment: Mapping[str, str] | None = None
) -> tuple[DeclaredCommand, ...]:
    """The commands of a workload's artifact, with the schemas of their parameters.

    `environment`: what its code reads while it is loaded.
    InvalidInput where its code cannot be loaded, with the last lines of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        unpack(artifact.path, Path(folder))
        told = json.loads(_describe(Path(folder), resource, environment or {}))
    return tuple(DeclaredCommand.model_validate(each) for each in told)


def _describe(folder: Path, resource: str, given: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "alien_iac.runtime.describe", str(folder), "--resource", resource]
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env={**kept, **given, "PYTHONDONTWRITEBYTECODE": "1"},
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput(f"{resource}: its code was not loaded within {_TIMEOUT_S} s") from error
    if done.returncode:
        last = "\n".join(f"  {line}" for line in done.stderr.strip().splitlines()[-_LINES:])
        raise InvalidInput(f"{resource}: its commands cannot be read:\n{last}", hint="run its main.py to see the same")
    return done.stdout
