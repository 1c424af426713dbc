"""Every page in light, dark and narrow, as a real Chromium shows it: no error, nothing from elsewhere, readable."""

from collections.abc import Mapping
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from control.control_vendor import Json
from dashboard.dashboard_world import World
from dashboard.visits import AUDIT, NARROW, visiting
from playwright.sync_api import Browser
from runtime.npm_tools import installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]  # the first may have to install Chromium

LOOKS: Mapping[str, Mapping[str, Json]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"color_scheme": "light", "viewport": NARROW},
}


def pages(world: World) -> dict[str, str]:
    deployment, rollout = f"/deployments/{world.acme.deployment_id}", f"/rollouts/{world.rollout}"
    return {
        "fleet": "/",
        "fleet-empty": "/?q=nobody",
        "deployment": deployment,
        "deployment-new": f"/deployments/{world.customers['lumon'].deployment_id}/logs",
        "commands": f"{deployment}/commands",
        "command": f"{deployment}/commands/{world.command}",
        "invoke": f"{deployment}/invoke",
        "logs": f"{deployment}/logs",
        "metrics": f"{deployment}/metrics",
        "traces": f"{deployment}/traces",
        "trace": f"{deployment}/traces/{world.trace}",
        "rollouts": "/rollouts",
        "rollout": rollout,
        "confirm": f"{rollout}/actions/rollback",
        "releases": "/releases",
        "audit": "/audit?verify=true",
    }


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_looks_finished_and_can_be_read(browser: Browser, fresh: World, look: str, shots: Path) -> None:
    with visiting(browser, fresh, **LOOKS[look]) as visit:
        visit.go("/login")
        wrong = {"login": visit.page.evaluate(AUDIT)}
        visit.page.screenshot(path=shots / f"login-{look}.png", full_page=True)
        visit.login(fresh.process.admin)
        for name, path in pages(fresh).items():
            visit.go(path)
            wrong[name] = visit.page.evaluate(AUDIT)
            visit.page.screenshot(path=shots / f"{name}-{look}.png", full_page=True)
        assert {name: found for name, found in wrong.items() if found} == {}
        visit.check()


@pytest.fixture(scope="module")
def axe() -> str:
    """The rules of axe-core, as a script."""
    try:
        return (installed("axe-core@4.14.1") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    except CalledProcessError:
        pytest.skip("axe-core is not here, and npm cannot fetch it")


@pytest.mark.parametrize("look", ["dark", "narrow"])
def test_axe_finds_nothing(browser: Browser, fresh: World, axe: str, look: str) -> None:
    with visiting(browser, fresh, fresh.process.admin, **LOOKS[look]) as visit:
        found: dict[str, Json] = {}
        for name, path in pages(fresh).items():
            page = visit.go(path)
            page.evaluate(axe)
            wrong = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
            found[name] = [(each["id"], [node["html"] for node in each["nodes"]]) for each in wrong]
        assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_what_is_not_there_is_a_page_too(browser: Browser, fresh: World, shots: Path) -> None:
    with visiting(browser, fresh, fresh.process.admin) as visit:
        answer = visit.page.goto(f"{fresh.url}/deployments/nobody")
        assert answer is not None
        assert answer.status == 404
        assert 'There is no deployment "nobody"' in visit.page.inner_text("main")
        assert visit.page.evaluate(AUDIT) == []
        visit.page.screenshot(path=shots / "failure.png")
