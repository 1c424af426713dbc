"""One fleet for all tests of a worker: each test ships it a further release, and leaves it whole.

A fleet takes a while to come and go, so the tests that need one are two groups, each of which has one worker.
"""

from collections.abc import Iterator

import pytest
from system.system_fleet import ENVIRONMENT, Fleet, of_folder

from alien_iac.cli.demonstration.world import opened


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three customers on a first release; at the end nothing of them may be left."""
    folder = tmp_path_factory.mktemp("fleet")
    with opened(folder, print, ENVIRONMENT) as world:
        fleet = Fleet(world)
        fleet.start()
        assert fleet.ended(fleet.release()).state == "succeeded", fleet.says()
        yield fleet
    assert not of_folder(folder)


@pytest.fixture
def fleet(running: Fleet) -> Iterator[Fleet]:
    """The fleet, which was whole when the test before had ended."""
    yield running
    running.assert_no_traceback()
