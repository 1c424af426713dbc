"""A real Chromium for the tests: the machine's own, or one that apt-get installs where we are root."""

import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
INSTALL_S = 240


def found() -> str | None:
    """The path of a Chromium; None where there is none and none can be installed."""
    return _there() or (_installed() if _may_install() else None)


def _there() -> str | None:
    named = os.environ.get("ALIEN_TEST_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and Path("/etc/debian_version").exists()


def _installed() -> str | None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (
        ("update", "-q"),
        ("install", "-q", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"),
    ):
        done = subprocess.run(("apt-get", *words), env=environment, capture_output=True, timeout=INSTALL_S, check=False)
        if done.returncode:
            return None
    return _there()
