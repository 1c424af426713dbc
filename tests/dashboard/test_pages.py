"""Every page in light, dark and narrow, as a real Chromium shows it: no error, nothing from elsewhere, readable."""

from pathlib import Path

import pytest
from dashboard.dashboard_world import World
from dashboard.visits import AUDIT, NARROW, visiting
from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"color_scheme": "light", "viewport": NARROW},
    "narrow-dark": {"color_scheme": "dark", "viewport": NARROW},
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


def test_what_is_not_there_is_a_page_too(browser: Browser, fresh: World, shots: Path) -> None:
    with visiting(browser, fresh, fresh.process.admin) as visit:
        answer = visit.page.goto(f"{fresh.url}/deployments/nobody")
        assert answer is not None
        assert answer.status == 404
        assert 'there is no deployment "nobody"' in visit.page.inner_text("main")
        assert visit.page.evaluate(AUDIT) == []
        visit.page.screenshot(path=shots / "failure.png")
