"""Every platform that has a package meets the same contracts: one more parameter for each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from alien_iac import platforms
from alien_iac.models.platform import Platform
from alien_iac.testing.recording import Recording, config_for, record, surroundings

Run = Callable[..., Recording]


@pytest.fixture(params=platforms.installed(), ids=str)
def platform(request: pytest.FixtureRequest) -> Platform:
    found: Platform = request.param
    return found


@pytest.fixture
def program_folder(tmp_path: Path) -> Path:
    """A stack program's folder, with the sources `./api` and `./worker`."""
    for name in ("api", "worker"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.py").touch()
    return tmp_path


@pytest.fixture
def run(platform: Platform, program_folder: Path) -> Run:
    """Runs a stack program on the platform, and tells what it did."""

    def ran(
        program: Callable[[], Any],
        config: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        docker: bool = False,
        **how: Any,
    ) -> Recording:
        settings = {**config_for(platform), **(config or {})}
        return record(program, surroundings(program_folder, settings, environ=environ, docker=docker), **how)

    return ran
