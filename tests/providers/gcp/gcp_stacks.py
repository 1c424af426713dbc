"""Stack programs on Google Cloud, and what they would make there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alien_iac.testing.recording import Recording, config_for, record, surroundings

IMAGE = "docker.io/vendor/app@sha256:" + "1" * 64
KEY = "projects/acme-keys/locations/europe-west1/keyRings/alien/cryptoKeys/data"


def run(program: Callable[[], Any], folder: Path, **config: Any) -> Recording:
    """Record the program. Config by keyword: an `alien:` key, or a whole key; None takes one out."""
    for name in ("api", "worker"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "main.py").touch()
    whole = {key if ":" in key else f"alien:{key}": value for key, value in config.items()}
    settings = {**config_for("gcp"), **whole}
    given = {key: value for key, value in settings.items() if value is not None}
    return record(program, surroundings(folder, given))


def errors(recording: Recording) -> tuple[str, ...]:
    """The codes of its errors."""
    return tuple(f.code for f in recording.findings if f.severity == "error")
