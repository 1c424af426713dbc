from collections.abc import Iterator
from pathlib import Path

import pytest
from dashboard import chromium
from dashboard.dashboard_world import Line, World, peopled
from dashboard.visits import Visit, visiting
from filelock import FileLock
from playwright.sync_api import Browser, expect, sync_playwright


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where Chromium is; of several workers one installs it."""
    with FileLock(tmp_path_factory.getbasetemp().parent / "chromium.lock"):
        found = chromium.found()
    if found is None:
        pytest.skip("no Chromium on this machine, and apt-get cannot install one here")
    return found


@pytest.fixture(scope="module")
def browser(chrome: str) -> Iterator[Browser]:
    """Gone with the file: its event loop runs for as long, and no other test of the process could run one."""
    expect.set_options(timeout=20_000)  # machines that run many tests at once are slow
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chrome, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    process = Line(tmp_path_factory.mktemp("dashboard") / "control")
    process.start()
    yield peopled(process)
    assert process.stop() == 0


@pytest.fixture
def fresh(world: World) -> World:
    """The world, where all that live have just said so."""
    world.beat()
    return world


@pytest.fixture
def visit(browser: Browser, fresh: World) -> Iterator[Visit]:
    """An admin who is logged in."""
    with visiting(browser, fresh, fresh.process.admin) as made:
        yield made


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where the screenshots go, for a person to look at."""
    folder = Path(__file__).parents[2] / ".screenshots"
    folder.mkdir(exist_ok=True)
    return folder
