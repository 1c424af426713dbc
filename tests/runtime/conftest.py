from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from runtime.conformance import (
    Covered,
    Env,
    covering,
    reached_by_sdk,
)
from runtime.emulators import Emulators
from runtime.runtime_workload import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.end()


def _opening(platforms: Sequence[Any]) -> Callable[..., Iterator[Any]]:
    """A fixture that is each of these platforms in turn, open for one test."""

    @pytest.fixture(params=platforms)
    def opened(request: pytest.FixtureRequest, tmp_path: Path, emulators: Emulators) -> Iterator[Any]:
        covered: Covered = request.param
        with covered.open(tmp_path, emulators) as made:
            yield made

    return opened


storage_platform = _opening(covering("storage"))
kv_platform = _opening(covering("kv"))
queue_platform = _opening(covering("queue"))
secret_platform = _opening(covering("secret"))

# Those that the public SDK reaches here too:
storage_sdk = _opening(reached_by_sdk("storage"))
kv_sdk = _opening(reached_by_sdk("kv"))
queue_sdk = _opening(reached_by_sdk("queue"))


@pytest.fixture
def linked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Env], None]:
    """Links this process, as if it were a workload, to what a platform made."""

    def link(env: Env) -> None:
        for name, value in env.items():
            monkeypatch.setenv(name, value)

    return link
