from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from runtime.conformance import Platform, open_platform
from runtime.runtime_workload import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.end()


@pytest.fixture(params=["local"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    """Every platform whose stores can be had here."""
    with open_platform(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def linked(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Links this process, as if it were a workload, to what a platform made."""

    def link(env: dict[str, str]) -> None:
        for name, value in env.items():
            monkeypatch.setenv(name, value)

    return link
