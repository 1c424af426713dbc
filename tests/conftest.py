from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER: Mapping[str, str] = MappingProxyType(
    {"test_commands": "fleet 1", "test_kills": "fleet 1", "test_releases": "fleet 2", "test_trust": "fleet 2"}
)
"""Files of tests/system whose tests go to one worker, which so makes one fleet for all of them."""


class Whole(LoadScopeScheduling):
    """Each test to whichever worker is free, but those that share a fleet to one; the largest shares begin first."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePath(nodeid.partition("::")[0])
        if file.parent.name != "system":
            return nodeid
        return TOGETHER.get(file.stem, file.stem)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="rewrite the golden files; read the diff before it is kept")
    parser.addoption("--chaos-commands", type=int, default=300, help="how many commands the chaos test sends (300)")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Whole | None:
    """With `--dist loadgroup`, which xdist's own scheduler would do by marks that this pytest does not let it read."""
    return Whole(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--golden", default=False))
