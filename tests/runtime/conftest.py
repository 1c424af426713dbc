from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from runtime.conformance import (
    Covered,
    Env,
    KvOfBoth,
    MakesKv,
    MakesQueue,
    MakesSecret,
    MakesStorage,
    QueueOfBoth,
    StorageOfBoth,
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


@pytest.fixture(params=covering("storage"))
def storage_platform(request: pytest.FixtureRequest, tmp_path: Path, emulators: Emulators) -> Iterator[MakesStorage]:
    """Every platform whose Storage can be had here."""
    covered: Covered = request.param
    with covered.open(tmp_path, emulators) as made:
        yield made


@pytest.fixture(params=covering("kv"))
def kv_platform(request: pytest.FixtureRequest, tmp_path: Path, emulators: Emulators) -> Iterator[MakesKv]:
    """Every platform whose Kv can be had here."""
    covered: Covered = request.param
    with covered.open(tmp_path, emulators) as made:
        yield made


@pytest.fixture(params=covering("queue"))
def queue_platform(request: pytest.FixtureRequest, tmp_path: Path, emulators: Emulators) -> Iterator[MakesQueue]:
    """Every platform whose Queue can be had here."""
    covered: Covered = request.param
    with covered.open(tmp_path, emulators) as made:
        yield made


@pytest.fixture(params=covering("secret"))
def secret_platform(request: pytest.FixtureRequest, tmp_path: Path, emulators: Emulators) -> Iterator[MakesSecret]:
    """Every platform whose Secret can be had here."""
    covered: Covered = request.param
    with covered.open(tmp_path, emulators) as made:
        yield made


@pytest.fixture(params=reached_by_sdk("storage"))
def storage_sdk(request: pytest.FixtureRequest, tmp_path: Path, emulators: Emulators) -> Iterator[StorageOfBoth]:
    """Every platform whose Storage the public SDK reaches here too."""
    covered: Covered = request.param
    with covered.open(tmp_path, emulators) as made:
        yield made


@pytest.fixture(params=reached_by_sdk("kv"))
def kv_sdk(request: pytest.FixtureRequest, tmp_path: Path, emulators: Emulators) -> Iterator[KvOfBoth]:
    """Every platform whose Kv the public SDK reaches here too."""
    covered: Covered = request.param
    with covered.open(tmp_path, emulators) as made:
        yield made


@pytest.fixture(params=reached_by_sdk("queue"))
def queue_sdk(request: pytest.FixtureRequest, tmp_path: Path, emulators: Emulators) -> Iterator[QueueOfBoth]:
    """Every platform whose Queue the public SDK reaches here too."""
    covered: Covered = request.param
    with covered.open(tmp_path, emulators) as made:
        yield made


@pytest.fixture
def linked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Env], None]:
    """Links this process, as if it were a workload, to what a platform made."""

    def link(env: Env) -> None:
        for name, value in env.items():
            monkeypatch.setenv(name, value)

    return link
