import gc
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from types import MappingProxyType

import pytest
from runtime.emulators import Emulators
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER: Mapping[str, str] = MappingProxyType(
    {
        "system/test_commands": "fleet 1",
        "system/test_kills": "fleet 1",
        "system/test_releases": "fleet 2",
        "system/test_trust": "fleet 2",
        "dashboard/test_pages": "dashboard",
        "dashboard/test_walks": "dashboard",
        "aws/test_full_app_on_ministack": "accounts",
        "runtime/test_lambda_on_ministack": "functions",
        "cli/test_vendor": "vendor",
    }
)
"""Files whose tests go to one worker, which so makes one fleet, or whatever they need, for all of them."""


class Whole(LoadScopeScheduling):
    """Each test to whichever worker is free, but those that share something to one; the largest shares begin first."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePath(nodeid.partition("::")[0])
        alone = file.stem if file.parent.name == "system" else nodeid
        return TOGETHER.get(f"{file.parent.name}/{file.stem}", alone)


def pytest_configure() -> None:
    """The clouds' SDKs are a million objects that stay: to look through them often costs a third of the tests' time."""
    gc.set_threshold(200_000, 20, 100)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="rewrite the golden files; read the diff before it is kept")
    parser.addoption("--chaos-commands", type=int, default=200, help="how many commands the chaos test sends (200)")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Whole | None:
    """With `--dist loadgroup`, which xdist's own scheduler would do by marks that this pytest does not let it read."""
    return Whole(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--golden", default=False))


@pytest.fixture(scope="session")
def emulators() -> Iterator[Emulators]:
    """The emulators that this session needs, each started once."""
    started = Emulators()
    yield started
    started.end()
