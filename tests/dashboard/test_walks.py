"""What people do: log in, find their way by the keyboard alone, promote, send a command; and what attackers try."""

import pytest
from dashboard.dashboard_world import HOSTILE, World, enrol
from dashboard.visits import AUDIT, Visit, visiting
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]  # the first may have to install Chromium

BAD = "<html><body><h1>a</h1><h3>b</h3><input><svg></svg><p style='color:#999'>c</p></body></html>"


def _tab_to(page: Page, name: str, most: int = 60) -> None:
    """Press Tab until the element with this text has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"the focus on {name} cannot be seen"
            return
    raise AssertionError(f"{name} is not reached by the keyboard")


def test_a_rollout_is_promoted_by_the_keyboard_alone(visit: Visit) -> None:
    page = visit.go("/")
    _tab_to(page, "Rollouts")
    page.keyboard.press("Enter")
    page.wait_for_url("**/rollouts")
    _tab_to(page, "1.5.0")
    page.keyboard.press("Enter")
    page.wait_for_url("**/rollouts/ro_*")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    _tab_to(page, "Promote")
    page.keyboard.press("Enter")
    page.wait_for_url("**/actions/promote")
    assert page.evaluate("document.activeElement.id") == "reason"
    page.keyboard.type("the early wave is quiet")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Promote"
    page.keyboard.press("Enter")
    page.wait_for_url("**/rollouts/ro_*")
    expect(page.locator(".lane.current h3")).to_have_text("everyone")
    page.goto(visit.world.url + "/audit")
    assert "the early wave is quiet" in page.inner_text("main")
    visit.check()


def test_progress_comes_without_a_reload(visit: Visit) -> None:
    world = visit.world
    page = visit.go(f"/rollouts/{world.rollout}")
    page.evaluate("window.same = true")
    before = page.inner_text("#summary")
    page.locator("#act-abort").focus()
    world.process.call("POST", f"/rollouts/{world.rollout}/actions", {"action": "pause", "reason": "lunch"})
    expect(page.locator("#summary")).not_to_have_text(before, timeout=15_000)
    expect(page.locator("#summary")).to_contain_text("lunch")
    assert page.get_attribute("#summary", "aria-live") == "polite"
    assert page.evaluate("window.same") is True
    assert page.evaluate("document.activeElement.id") == "act-abort"
    world.process.call("POST", f"/rollouts/{world.rollout}/actions", {"action": "resume"})
    visit.check()


def test_a_command_is_reviewed_sent_and_answered(visit: Visit) -> None:
    world = visit.world
    page = visit.go(f"/deployments/{world.acme.deployment_id}")
    page.get_by_role("link", name="Invoke a command").click()
    page.get_by_label("Command").select_option("worker:read-file")
    page.get_by_role("textbox", name="Parameters").fill("not json")
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("alert")).to_contain_text("The parameters are not JSON")
    assert page.get_by_role("textbox", name="Parameters").input_value() == "not json"
    visit.console.clear()  # Chromium itself reports the answer 400
    page.get_by_role("textbox", name="Parameters").fill('{"path": "b.txt"}')
    page.get_by_role("button", name="Review").click()
    expect(page.locator(".confirm")).to_contain_text('{"path": "b.txt"}')
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/commands/cmd_*")
    while True:
        world.acme.answer({"status": "error", "code": "HANDLER_FAILED", "message": HOSTILE})
        if page.inner_text("#state") == "failed":
            break
        page.wait_for_timeout(300)
    expect(page.get_by_role("region", name="Result")).to_contain_text(HOSTILE)
    visit.check()


def test_who_may_look_only_is_offered_no_actions(browser: Browser, fresh: World) -> None:
    with visiting(browser, fresh, fresh.token("read")) as visit:
        page = visit.go(f"/rollouts/{fresh.rollout}")
        assert page.get_by_role("link", name="Pause").count() == 0
        page = visit.go(f"/deployments/{fresh.acme.deployment_id}")
        assert page.get_by_role("link", name="Invoke a command").count() == 0
        visit.check()


def test_a_wrong_token_is_refused_in_words_and_leaving_ends_the_session(browser: Browser, fresh: World) -> None:
    with visiting(browser, fresh) as visit:
        page = visit.go("/audit")
        page.get_by_label("Token").fill("alien_token_wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("unknown, revoked or over")
        page.get_by_label("Token").fill(fresh.process.admin)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/audit")
        assert "alien_" not in page.url
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login")
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


def test_an_open_page_of_a_session_that_was_revoked_shows_the_login(browser: Browser, fresh: World) -> None:
    made = fresh.process.call("POST", "/auth/tokens", {"name": "short", "scopes": ["read"]})
    with visiting(browser, fresh, made["token"]) as visit:
        page = visit.go("/rollouts")
        fresh.process.call("DELETE", f"/auth/tokens/{made['id']}")
        page.wait_for_url("**/login*", timeout=15_000)


def test_all_of_it_works_without_scripts(browser: Browser, fresh: World) -> None:
    with visiting(browser, fresh, fresh.process.admin, java_script_enabled=False) as visit:
        page = visit.go("/?q=acme")
        page.get_by_role("link", name="acme", exact=True).click()
        page.get_by_role("link", name="Metrics").click()
        assert page.locator(".plot").count() == 3
        page = visit.go(f"/rollouts/{fresh.rollout}/actions/pause")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#state")).to_have_text("paused")
        page = visit.go(f"/rollouts/{fresh.rollout}/actions/resume")
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("#state")).not_to_have_text("paused")
        visit.check()


def test_what_customers_and_workloads_say_is_text(browser: Browser, fresh: World) -> None:
    evil = enrol(fresh.process, "mallory")
    evil.release = HOSTILE
    evil.report("failed", reason=HOSTILE)
    workloads = [{"id": HOSTILE, "health": "unhealthy", "message": HOSTILE, "release": HOSTILE}]
    evil.beat("unhealthy", workloads)
    token = fresh.process.call("POST", "/auth/tokens", {"name": HOSTILE, "scopes": ["admin"]})["token"]
    with visiting(browser, fresh, token) as visit:
        acme, mallory = (f"/deployments/{each.deployment_id}" for each in (fresh.acme, evil))
        for path in ("/", "/?q=%3Cscript%3E%22'", mallory, f"{acme}/logs", f"{acme}/traces/{fresh.trace}", "/audit"):
            page = visit.go(path)
            assert page.evaluate("window.hacked") is None
            assert page.locator("main script, main img, main [onerror]").count() == 0
        assert HOSTILE in visit.go(mallory).inner_text("main")
        visit.check()
    fresh.process.call("DELETE", f"/deployments/{evil.deployment_id}")


def test_the_audit_of_pages_finds_what_is_wrong(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(BAD)
    wrong = " ".join(page.evaluate(AUDIT))
    for said in ("no language", "not one main", "skips from 1 to 3", "no label", "without words", "contrast", "inline"):
        assert said in wrong
    page.close()
